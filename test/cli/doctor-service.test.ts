import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../support/cluster.js';
import { diagnose, temporaryFile } from '../support/doctor-fixture.js';
import { leakCheck } from '../support/leak-check.js';

const NAME = 'hello.shop.svc.cluster.local';
const SEARCH = 'search shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n';

async function start(defer: (cleanUp: () => unknown) => void, pods: number) {
  const cluster = await Cluster.start(defer, { name: NAME, pods });
  return { cluster, dns: cluster.dns, server: ['--server', cluster.dns.address] };
}

test('a headless Service with its pods has no finding, and the report has the facts', async (t) => {
  const defer = leakCheck(t);
  const { cluster, server } = await start(defer, 3);
  const { ids, facts, text } = await diagnose(defer, [cluster.target, ...server]);
  assert.deepEqual(ids, []);
  assert.equal(facts.name, NAME);
  assert.deepEqual([...facts.addresses].sort(), cluster.pods.map(({ address }) => address).sort());
  assert.ok(facts.pods.every(({ failure, maxStreams }) => failure === null && maxStreams === null));
  for (const { address } of cluster.pods) assert.match(text, new RegExp(`${address} +ready +[\\d.]+ ms`));
  assert.match(text, /cache +none seen, TTL 30 s/);
  assert.match(text, /age of news +about 2\.5 s on average, 5 s at most \(interval 5 s\)/);
  assert.match(text, /Findings\n {2}None\./);
});

test('one address whose PTR record is the name of the Service is a cluster IP', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 1);
  dns.pointer(cluster.ips[0] as string, NAME);
  const { ids, finding, text } = await diagnose(defer, [cluster.target, ...server]);
  assert.deepEqual(ids, ['cluster-ip']);
  const { weight, seen, remedy, manifest } = finding('cluster-ip');
  assert.equal(weight, 'error');
  assert.match(
    seen.join('\n'),
    /Asked twice, two seconds apart, it was the same\.\nThe address has the name \(PTR\) hello\.shop\./,
  );
  assert.match(manifest ?? '', /clusterIP: None/);
  assert.match(remedy, /`balance: \{ connections: 4 \}` is the only cure.*cannot choose pods/);
  assert.match(text, /1\. +error: The Service has a cluster IP: it is not headless/);
  assert.match(text, new RegExp(`'hello-headless\\.shop\\.svc\\.cluster\\.local\\.:${cluster.port}'`));
  assert.match(text, /docs\/troubleshooting\.md#the-service-has-a-cluster-ip-it-is-not-headless/);
});

test('one address that the SRV records of the Service have itself as a target is a cluster IP', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 1);
  dns.respond = (query, exchange) => {
    if (query.type !== 'SRV') return exchange.answer();
    const service = { priority: 0, weight: 100, port: 50_051, target: NAME };
    const answers = [{ name: query.name, type: 'SRV' as const, ttl: 5, data: '', service }];
    exchange.reply(exchange.build({ rcode: 'NOERROR', answers, authority: [] }));
  };
  assert.deepEqual((await diagnose(defer, [cluster.target, ...server])).ids, ['cluster-ip']);
});

test('one address that the environment has as a SERVICE_HOST is a cluster IP', async (t) => {
  const defer = leakCheck(t);
  const { cluster, server } = await start(defer, 1);
  const env = { HELLO_SERVICE_HOST: cluster.ips[0] as string };
  const { finding } = await diagnose(defer, [cluster.target, ...server], { env });
  assert.match(finding('cluster-ip').seen.join('\n'), /in HELLO_SERVICE_HOST/);
});

test('one pod of a headless Service is found to be a pod by its PTR record, or by its name in DNS', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 1);
  const ip = cluster.ips[0] as string;
  dns.pointer(ip, `hello-0.${NAME}`);
  assert.deepEqual((await diagnose(defer, [cluster.target, ...server])).ids, []);
  dns.pointer(ip, 'node-7.example.org');
  dns.set(`${ip.replaceAll('.', '-')}.${NAME}`, [ip]);
  assert.deepEqual((await diagnose(defer, [cluster.target, ...server])).ids, []);
});

test('one address without PTR and SRV records may be either, and the doctor says so', async (t) => {
  const defer = leakCheck(t);
  const { cluster, server } = await start(defer, 1);
  const { ids, finding } = await diagnose(defer, [cluster.target, ...server]);
  assert.deepEqual(ids, ['one-address']);
  assert.equal(finding('one-address').weight, 'note');
  assert.match(finding('one-address').seen.join('\n'), /it was the same\.\nThe address has no name \(PTR\)\./);
});

test('one address at a time, another one in each answer, is not taken for a cluster IP', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 2);
  let turn = 0;
  dns.respond = (query, exchange) => {
    if (query.type !== 'A' || query.name !== NAME) return exchange.answer();
    // TCP and UDP alike in the first reading, the other pod in the second.
    const data = cluster.ips[turn++ < 2 ? 0 : 1] as string;
    exchange.reply(exchange.build({ answers: [{ name: query.name, type: 'A', ttl: 30, data }] }));
  };
  const { finding } = await diagnose(defer, [cluster.target, ...server]);
  assert.match(finding('one-address').seen.join('\n'), /it was another one: so it is no cluster IP/);
});

for (const [what, wrong] of [
  ['a letter is missing', 'helo.shop'],
  ['two letters are swapped', 'hlelo.shop'],
  ['a letter is another one', 'hallo.shop'],
  ['the namespace has a slip', 'hello.shpo'],
  ['Service and namespace are swapped', 'shop.hello'],
] as const)
  test(`a name in which ${what} is found out, and the right one proposed`, async (t) => {
    const defer = leakCheck(t);
    const { cluster, server } = await start(defer, 2);
    const resolvConf = temporaryFile(defer, 'resolv.conf', SEARCH);
    const target = `${wrong}:${cluster.port}`;
    const { ids, finding, text } = await diagnose(defer, [target, ...server, '--resolv-conf', resolvConf]);
    assert.deepEqual(ids, ['wrong-name']);
    assert.match(finding('wrong-name').remedy, /nearest one that answers is hello\.shop\.svc\.cluster\.local\./);
    assert.ok(text.includes(`'${cluster.target}',\n      credentials.createInsecure(),\n    );`));
  });

test('a Service in another namespace is found where the environment names it', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 2);
  const resolvConf = temporaryFile(defer, 'resolv.conf', SEARCH.replaceAll('shop', 'web'));
  dns.nodata('web.svc.cluster.local');
  const env = { DATABASE_URL: 'postgres://db.shop.svc.cluster.local/app' };
  const args = [`hello:${cluster.port}`, ...server, '--resolv-conf', resolvConf];
  const { ids, finding, text } = await diagnose(defer, args, { env });
  assert.deepEqual(ids, ['wrong-name']);
  assert.match(finding('wrong-name').seen.join('\n'), /A Service of this name answers in the namespace shop\./);
  assert.match(text, new RegExp(`HelloClient,\\s+'${NAME}\\.:`));
});

test('a name without anything near it is a Service without a ready pod, or a wrong name', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 1);
  cluster.publish([]);
  dns.nodata('shop.svc.cluster.local');
  const { ids, finding } = await diagnose(defer, [cluster.target, ...server]);
  assert.deepEqual(ids, ['name-not-found']);
  assert.match(
    finding('name-not-found').seen.join('\n'),
    /The namespace shop exists\..*\n.*A denial may stay in a cache for 5 s/s,
  );
  assert.match(finding('name-not-found').remedy, /kubectl get endpointslices/);
});

test('a namespace that does not exist is told, where the server answers for other namespaces', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 1);
  cluster.publish([]);
  dns.nodata('kube-system.svc.cluster.local');
  const { finding } = await diagnose(defer, [cluster.target, ...server]);
  assert.match(finding('name-not-found').seen.join('\n'), /The namespace shop does not exist\./);
});

test('a name that exists without an address is told from one that does not exist', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 1);
  dns.nodata(NAME);
  assert.deepEqual((await diagnose(defer, [cluster.target, ...server])).ids, ['no-address']);
});

test('an address as the target needs no DNS, and is not followed', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns } = await start(defer, 1);
  const { ids, facts } = await diagnose(defer, [cluster.pods[0]?.address as string]);
  assert.deepEqual(ids, ['literal-address']);
  assert.equal(facts.pods[0]?.failure, null);
  assert.equal(dns.asked(), 0);
});

test('localhost as the target needs no DNS', async (t) => {
  const defer = leakCheck(t);
  const { dns, server } = await start(defer, 0);
  const { ids, facts, text, finding } = await diagnose(defer, ['hello.localhost.:1', ...server]);
  assert.deepEqual(facts.addresses, ['127.0.0.1:1']);
  assert.ok(ids.includes('literal-address'));
  assert.match(finding('literal-address').seen.join(), /loopback address of this host/);
  assert.match(text, /target +localhost, DNS is not asked/);
  assert.equal(dns.asked(), 0);
});

test('a named port is followed through its SRV records', async (t) => {
  const defer = leakCheck(t);
  const { cluster, dns, server } = await start(defer, 2);
  for (const [index, { ip }] of cluster.pods.entries()) dns.set(`hello-${index}.${NAME}`, [ip]);
  dns.services(
    `_grpc._tcp.${NAME}`,
    cluster.pods.map((_, index) => ({ port: cluster.port, target: `hello-${index}.${NAME}` })),
  );
  const { ids, facts } = await diagnose(defer, [`_grpc._tcp.${NAME}.`, ...server]);
  assert.deepEqual(ids, []);
  assert.deepEqual([...facts.addresses].sort(), cluster.pods.map(({ address }) => address).sort());
});

test('a named port that the Service does not have is told, with the Service that exists', async (t) => {
  const defer = leakCheck(t);
  const { server } = await start(defer, 2);
  const { ids, finding } = await diagnose(defer, [`_http._tcp.${NAME}.`, ...server]);
  assert.deepEqual(ids, ['no-such-port']);
  assert.match(finding('no-such-port').seen.join('\n'), /hello\.shop\.svc\.cluster\.local exists/);
});
