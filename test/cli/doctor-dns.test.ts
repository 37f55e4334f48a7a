import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cluster } from '../support/cluster.js';
import { encodeReply } from '../support/dns-reply.js';
import { DnsServer, type Responder } from '../support/dns-server.js';
import { DnsCache, DnsZone } from '../support/dns-zone.js';
import { diagnose, temporaryFile, temporaryFolder } from '../support/doctor-fixture.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

const NAME = 'hello.shop.svc.cluster.local';
const SEARCH = 'search shop.svc.cluster.local svc.cluster.local cluster.local example.org\noptions ndots:5\n';

async function start(defer: Defer, pods = 2) {
  const cluster = await Cluster.start(defer, { name: NAME, pods });
  return { cluster, dns: cluster.dns, target: cluster.target, server: ['--server', cluster.dns.address] };
}

async function secondServer(defer: Defer): Promise<DnsServer> {
  const server = await DnsServer.start();
  defer(() => server.close());
  return server;
}

test('nameservers of which none answers are told, within seconds', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  dns.pause();
  const { ids, finding } = await diagnose(defer, [target, ...server, '--timeout', '100']);
  assert.deepEqual(ids, ['dns-silent']);
  assert.match(
    finding('dns-silent').seen.join(),
    /UDP: gave no valid response within 100 ms; TCP: gave no valid response/,
  );
});

test('nameservers that answer with errors alone are told with the error', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  dns.fail('*', 'SERVFAIL');
  const { ids, finding } = await diagnose(defer, [target, ...server]);
  assert.deepEqual(ids, ['dns-fails']);
  assert.match(finding('dns-fails').seen.join(), /: SERVFAIL$/);
});

test('a silent nameserver beside one that answers is left out of the client code', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  const silent = await secondServer(defer);
  silent.pause();
  const args = [target, '--server', silent.address, ...server, '--timeout', '100'];
  const { ids, finding, text } = await diagnose(defer, args);
  assert.deepEqual(ids, ['nameserver-silent']);
  assert.match(finding('nameserver-silent').seen.join(), new RegExp(silent.address));
  assert.match(text, new RegExp(`headless: \\{ dns: \\{ servers: \\['${dns.address}'\\] \\} \\}`));
});

test('a nameserver that answers with errors beside one that answers is left out too', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer);
  const failing = await secondServer(defer);
  failing.fail('*', 'REFUSED');
  const { ids, finding } = await diagnose(defer, [target, ...server, '--server', failing.address]);
  assert.deepEqual(ids, ['nameserver-fails']);
  assert.match(finding('nameserver-fails').seen.join(), new RegExp(`${failing.address}: REFUSED`));
});

test('nameservers with different sets are told, each with its set', async (t) => {
  const defer = leakCheck(t);
  const { cluster, target, server } = await start(defer);
  const other = await secondServer(defer);
  other.set(NAME, cluster.ips.slice(0, 1), { ttl: 30 });
  const { ids, finding } = await diagnose(defer, [target, ...server, '--server', other.address]);
  assert.deepEqual(ids, ['nameservers-differ']);
  assert.equal(finding('nameservers-differ').weight, 'warning');
  assert.match(finding('nameservers-differ').seen.join('\n'), new RegExp(`${other.address}: ${cluster.ips[0]}$`, 'm'));
});

test('a first nameserver that denies the name which the second one has is an error', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  const other = await secondServer(defer);
  const { finding } = await diagnose(defer, [target, '--server', other.address, ...server]);
  const { weight, seen, client } = finding('nameservers-differ');
  assert.equal(weight, 'error');
  assert.match(seen.join('\n'), new RegExp(`${other.address}: no address`));
  assert.deepEqual(client.headless, { dns: { servers: `['${dns.address}']` } });
});

/** Neither server nor firewall lets this transport through. */
function without(transport: 'udp' | 'tcp', udpTruncated = false): Responder {
  return (query, exchange) => {
    if (query.transport === 'tcp' && transport === 'tcp') exchange.reset();
    else if (query.transport === transport) return;
    else if (udpTruncated && query.type === 'A') exchange.reply(exchange.build({ answers: [], truncated: true }));
    else exchange.answer();
  };
}

test('UDP that is blocked is told, while TCP answers', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  dns.respond = without('udp');
  const { ids } = await diagnose(defer, [target, ...server, '--timeout', '100']);
  assert.equal(ids[0], 'udp-blocked');
});

test('a truncated answer with TCP blocked is an error', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  dns.respond = without('tcp', true);
  const { ids, finding, facts } = await diagnose(defer, [target, ...server]);
  assert.deepEqual(ids, ['truncated-without-tcp']);
  assert.match(finding('truncated-without-tcp').seen.join('\n'), /TCP: (?:cannot be reached|closed)/);
  assert.equal(facts.name, NAME);
});

test('TCP that is blocked is told before the set grows too large for a datagram', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  dns.respond = without('tcp');
  const { ids, finding } = await diagnose(defer, [target, ...server]);
  assert.deepEqual(ids, ['dns-without-tcp']);
  assert.match(finding('dns-without-tcp').remedy, /fits a datagram now \(2 addresses\)/);
});

test('a truncated answer that comes whole over TCP is no finding', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, target, server } = await start(defer);
  dns.respond = (query, exchange) => {
    const truncated = query.transport === 'udp' && query.type === 'A';
    if (truncated) exchange.reply(exchange.build({ answers: [], truncated }));
    else exchange.answer();
  };
  const { ids, facts } = await diagnose(defer, [target, ...server]);
  assert.deepEqual(ids, []);
  assert.equal(facts.pods.length, cluster.pods.length);
});

test('a cache with an entry for each pair of bits is a note, with the age of news to expect', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  dns.cache(30);
  const { ids, finding, facts, text } = await diagnose(defer, [target, ...server], { patient: true });
  assert.deepEqual(ids, ['dns-cache']);
  assert.equal(finding('dns-cache').weight, 'note');
  const [reading] = facts.readings;
  assert.deepEqual([reading?.cache, reading?.ttlMs, reading?.entries], ['present', 30_000, 4]);
  assert.match(
    finding('dns-cache').seen.join(),
    /phases work \(4 entries .* about 3\.8 s old on average, 7\.5 s at most/,
  );
  assert.match(text, /cache +yes, TTL 30 s; phases work: 4 entries expire apart/);
});

test('a cache with one entry for all bits is a warning', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, target, server } = await start(defer);
  const zone = new DnsZone();
  zone.set(NAME, cluster.ips, { ttl: 30 });
  const cache = new DnsCache(zone, 30);
  dns.respond = (query, exchange) =>
    exchange.reply(encodeReply(query, { ...cache.answer(query.name, query.type), limit: 1_232 }));
  const { finding, facts } = await diagnose(defer, [target, ...server], { patient: true });
  assert.equal(finding('dns-cache').weight, 'warning');
  assert.equal(facts.readings[0]?.entries, 1);
  assert.match(
    finding('dns-cache').seen.join(),
    /phases do not work \(one entry\): news about 15 s old on average, 30 s at most/,
  );
});

test('a cache that is no older than the interval is a fact, and no finding', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  dns.cache(30);
  const { ids, text } = await diagnose(defer, [target, ...server, '--interval', '10000'], { patient: true });
  assert.deepEqual(ids, []);
  assert.match(text, /about 3\.8 s on average, 7\.5 s at most \(interval 10 s\)/);
});

test('another name down the list that answers is a namesake, and the full name is proposed', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer);
  dns.set('hello.shop.example.org', ['127.0.0.1']);
  const resolvConf = temporaryFile(defer, 'resolv.conf', SEARCH);
  const { ids, finding, text } = await diagnose(defer, [
    `hello.shop:${cluster.port}`,
    ...server,
    '--resolv-conf',
    resolvConf,
  ]);
  assert.deepEqual(ids, ['namesake', 'search-list-waste']);
  assert.match(finding('namesake').seen.join('\n'), /hello\.shop\.example\.org answers too\./);
  assert.match(text, new RegExp(`HelloClient,\\s+'${NAME}\\.:${cluster.port}'`));
});

test('a name outside the cluster that answers for the Service is an error, and a wildcard is told', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer);
  const [stranger] = cluster.ips;
  cluster.publish([]);
  dns.respond = (query, exchange) => {
    if (query.type !== 'A' || !query.name.endsWith('.example.org')) return exchange.answer();
    const answers = [{ name: query.name, type: 'A' as const, ttl: 5, data: stranger as string }];
    exchange.reply(exchange.build({ rcode: 'NOERROR', answers, authority: [] }));
  };
  const resolvConf = temporaryFile(defer, 'resolv.conf', SEARCH);
  const { ids, finding } = await diagnose(defer, [
    `hello.shop:${cluster.port}`,
    ...server,
    '--resolv-conf',
    resolvConf,
  ]);
  assert.deepEqual(ids, ['outside-name']);
  assert.match(finding('outside-name').seen.join('\n'), /hello\.shop\.example\.org answers in its place\.\n.*wildcard/);
  assert.equal(finding('outside-name').client.target, `${NAME}.:${cluster.port}`);
});

test('queries that the search list costs are told, and the name to write', async (t) => {
  const defer = leakCheck(t);
  const { cluster, server } = await start(defer);
  const resolvConf = temporaryFile(defer, 'resolv.conf', SEARCH);
  const args = [`hello.shop:${cluster.port}`, ...server, '--resolv-conf', resolvConf];
  const { ids, finding } = await diagnose(defer, args);
  assert.deepEqual(ids, ['search-list-waste']);
  assert.match(
    finding('search-list-waste').remedy,
    new RegExp(`Write ${NAME}\\.:${cluster.port}: one query in the place of 2`),
  );
});

test('a name that the first domain of the list makes has no finding', async (t) => {
  const defer = leakCheck(t);
  const { cluster, server } = await start(defer);
  const resolvConf = temporaryFile(defer, 'resolv.conf', SEARCH);
  assert.deepEqual((await diagnose(defer, [`hello:${cluster.port}`, ...server, '--resolv-conf', resolvConf])).ids, []);
});

test('a resolv.conf that cannot be read is told, with the server that is asked in its place', async (t) => {
  const defer = leakCheck(t);
  const resolvConf = `${temporaryFolder(defer)}/resolv.conf`;
  const args = ['hello.shop:50051', '--timeout', '50'];
  const { finding } = await diagnose(defer, args, { settings: { resolvConf } });
  assert.match(finding('resolv-conf-unreadable').seen.join('\n'), /ENOENT[\s\S]*127\.0\.0\.1:53/);
});

test('a proxy in the environment is told without its password, unless no_proxy excludes the target', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer);
  const env = { https_proxy: 'http://me:secret@proxy.example.org:3128' };
  const { ids, finding, text } = await diagnose(defer, [target, ...server], { env });
  assert.deepEqual(ids, ['proxy-in-environment']);
  assert.match(finding('proxy-in-environment').seen.join(), /https_proxy is http:\/\/\*\*\*@proxy\.example\.org:3128/);
  assert.doesNotMatch(text, /secret/);
  const excluded = { ...env, no_proxy: 'localhost,.cluster.local' };
  const withoutDot = target.replace('.:', ':');
  const args = [withoutDot, ...server];
  assert.deepEqual((await diagnose(defer, args, { env: excluded })).ids, []);
  // grpc-js compares the host as it is written in the target.
  const dotted = await diagnose(defer, [target, ...server], { env: excluded });
  assert.deepEqual(dotted.ids, ['proxy-in-environment']);
  const { seen, manifest } = dotted.finding('proxy-in-environment');
  assert.match(seen.join(), /does not exclude \S+\.svc\.cluster\.local\.\.$/);
  const [, remedy = ''] = /no_grpc_proxy, value: '([^']*)'/.exec(manifest ?? '') ?? [];
  const remedied = { ...env, no_grpc_proxy: remedy };
  assert.deepEqual((await diagnose(defer, [target, ...server], { env: remedied })).ids, []);
  assert.deepEqual((await diagnose(defer, args, { env: remedied })).ids, []);
});

function install(folder: string, name: string, version: string): string {
  const path = join(folder, 'node_modules', name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, version, main: 'index.js' }));
  return path;
}

test('a second copy of grpc-js is found, whichever package holds it, and who uses which', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer);
  const folder = temporaryFolder(defer);
  install(folder, '@grpc/grpc-js', '1.14.7');
  const args = [target, ...server];
  assert.deepEqual((await diagnose(defer, args, { folder })).ids, []);
  const nested = install(folder, 'google-gax', '4.0.0');
  install(nested, '@grpc/grpc-js', '1.10.0');
  const warned = (await diagnose(defer, args, { folder })).finding('second-grpc-js');
  assert.equal(warned.weight, 'warning');
  assert.match(warned.seen.join('\n'), /1\.14\.7 in .*, used by your code\n1\.10\.0 in .*google-gax/);
  const headless = install(folder, 'grpc-headless', '0.1.0');
  install(headless, '@grpc/grpc-js', '1.14.0');
  const failed = (await diagnose(defer, args, { folder })).finding('second-grpc-js');
  assert.equal(failed.weight, 'error');
  assert.match(failed.seen.join('\n'), /1\.14\.0 in .*, used by grpc-headless/);
});

test('links to one copy of grpc-js are one copy, also those of pnpm', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer);
  const folder = temporaryFolder(defer);
  const store = join(folder, 'node_modules/.pnpm/@grpc+grpc-js@1.14.7');
  const path = install(store, '@grpc/grpc-js', '1.14.7');
  mkdirSync(join(folder, 'node_modules/@grpc'));
  symlinkSync(path, join(folder, 'node_modules/@grpc/grpc-js'));
  const { ids, facts } = await diagnose(defer, [target, ...server], { folder });
  assert.deepEqual(ids, []);
  assert.equal(facts.environment.grpcCopies.length, 1);
});

test('a search for other spellings ends where the server falls silent', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  dns.remove(NAME);
  dns.respond = (query, exchange) => {
    if (query.name === NAME) exchange.answer();
  };
  const started = performance.now();
  const { ids } = await diagnose(defer, [target, ...server]);
  assert.deepEqual(ids, ['name-not-found']);
  assert.ok(performance.now() - started < 10_000);
});

test('a server that falls silent after its first answer, with UDP blocked, costs seconds and not its timeout each time', async (t) => {
  const defer = leakCheck(t);
  const { dns, target, server } = await start(defer);
  let answered = 0;
  dns.respond = (query, exchange) => {
    if (query.transport === 'tcp' && answered++ === 0) exchange.answer();
  };
  const started = performance.now();
  const { ids, facts } = await diagnose(defer, [target, ...server], { patient: true });
  assert.equal(ids[0], 'udp-blocked');
  assert.equal(facts.readings[0]?.cache, 'unknown');
  assert.ok(performance.now() - started < 10_000);
});
