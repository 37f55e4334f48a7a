import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import packet from 'dns-packet';
import { frame, parseQuery } from './dns-reply.js';
import { DnsServer, type DnsServerOptions } from './dns-server.js';
import { DnsCache, DnsZone } from './dns-zone.js';
import { eventually } from './eventually.js';
import { type Defer, leakCheck } from './leak-check.js';

const NAME = 'hello.ns.svc.cluster.local';

async function start(t: TestContext, options?: DnsServerOptions): Promise<{ server: DnsServer; defer: Defer }> {
  const defer = leakCheck(t);
  const server = await DnsServer.start(options);
  defer(() => server.close());
  return { server, defer };
}

function encodeQuery(name: string, type: 'A' | 'AAAA', udpPayloadSize?: number): Buffer {
  const opt = { type: 'OPT', name: '.', udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false };
  return packet.encode({
    type: 'query',
    id: 7,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type }],
    additionals: udpPayloadSize === undefined ? [] : [{ ...opt, options: [] } as unknown as packet.Answer],
  });
}

async function overUdp(server: DnsServer, query: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.send(query, server.port, server.host);
    const [message] = (await once(socket, 'message', { signal: AbortSignal.timeout(2_000) })) as [Buffer];
    return message;
  } finally {
    socket.close();
  }
}

async function overTcp(server: DnsServer, query: Buffer): Promise<Buffer> {
  const socket = connect(server.port, server.host);
  try {
    socket.write(frame(query));
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) break;
    }
    return received.subarray(2);
  } finally {
    socket.destroy();
  }
}

/** The library decodes the RCODE too; its types do not say so. */
function decode(message: Buffer): packet.DecodedPacket & { rcode: string } {
  return packet.decode(message) as packet.DecodedPacket & { rcode: string };
}

function addresses(message: Buffer): string[] {
  return (decode(message).answers ?? []).flatMap((record) =>
    record.type === 'A' || record.type === 'AAAA' ? [record.data] : [],
  );
}

test('answers from its zone, by family, over both transports, and records who asked', async (t) => {
  const { server } = await start(t);
  server.set(NAME, ['10.0.0.1', '10.0.0.2', 'fd00::1'], { ttl: 30 });
  const reply = decode(await overUdp(server, encodeQuery(NAME.toUpperCase(), 'A')));
  assert.equal(reply.id, 7);
  assert.equal(reply.rcode, 'NOERROR');
  assert.equal(reply.flag_aa && reply.flag_rd && reply.flag_ra, true);
  assert.equal(reply.questions?.[0]?.name, NAME.toUpperCase());
  assert.deepEqual(
    reply.answers?.map((record) => 'ttl' in record && record.ttl),
    [30, 30],
  );
  assert.deepEqual(addresses(await overTcp(server, encodeQuery(NAME, 'AAAA'))), ['fd00::1']);
  assert.deepEqual(
    server.queries.map(({ type, transport, edns }) => ({ type, transport, edns })),
    [
      { type: 'A', transport: 'udp', edns: undefined },
      { type: 'AAAA', transport: 'tcp', edns: undefined },
    ],
  );
  assert.equal(server.asked(NAME, 'A'), 1);
});

test('tells NXDOMAIN from NODATA, both with an SOA', async (t) => {
  const { server } = await start(t);
  server.nodata(NAME);
  const nodata = decode(await overUdp(server, encodeQuery(NAME, 'A')));
  assert.equal(nodata.rcode, 'NOERROR');
  assert.equal(nodata.answers?.length, 0);
  assert.equal(nodata.authorities?.[0]?.type, 'SOA');
  server.remove(NAME);
  const nxdomain = decode(await overUdp(server, encodeQuery(NAME, 'A')));
  assert.equal(nxdomain.rcode, 'NXDOMAIN');
  assert.equal(nxdomain.authorities?.[0]?.type, 'SOA');
});

test('follows a chain of aliases and stops at a loop', async (t) => {
  const { server } = await start(t);
  server.alias(NAME, 'b.example');
  server.alias('b.example', 'c.example');
  server.set('c.example', ['10.0.0.3']);
  const reply = decode(await overUdp(server, encodeQuery(NAME, 'A')));
  assert.deepEqual(
    reply.answers?.map((record) => [record.name, record.type, 'data' in record && record.data]),
    [
      [NAME, 'CNAME', 'b.example'],
      ['b.example', 'CNAME', 'c.example'],
      ['c.example', 'A', '10.0.0.3'],
    ],
  );
  server.alias('c.example', NAME);
  assert.equal(decode(await overUdp(server, encodeQuery(NAME, 'A'))).answers?.length, 3);
});

test('fits 28 pods into 512 bytes and 73 into 1232, cuts with TC beyond, and gives all over TCP', async (t) => {
  const { server } = await start(t);
  const pods = (count: number) => Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  const name = 'progress-svc.just-4.svc.my-k8s.int'; // 34 octets: the counts below are for this length
  for (const [count, edns, truncated] of [
    [28, undefined, false],
    [29, undefined, true],
    [73, 1232, false],
    [74, 1232, true],
  ] as const) {
    server.set(name, pods(count));
    const message = await overUdp(server, encodeQuery(name, 'A', edns));
    const reply = decode(message);
    assert.equal(reply.flag_tc, truncated, `${count} pods in ${edns ?? 512} bytes`);
    assert.ok(message.length <= (edns ?? 512));
    assert.equal(addresses(message).length, truncated ? count - 1 : count);
    assert.equal(
      reply.additionals?.some((record) => record.type === 'OPT'),
      edns !== undefined,
    );
  }
  server.set(name, pods(3_000));
  assert.deepEqual(addresses(await overTcp(server, encodeQuery(name, 'A', 1232))), pods(3_000));
});

test('fails by name or for all, until healed', async (t) => {
  const { server } = await start(t);
  server.set(NAME, ['10.0.0.1']);
  server.fail('*', 'SERVFAIL');
  server.fail(NAME, 'REFUSED');
  const rcode = async (name: string) => decode(await overUdp(server, encodeQuery(name, 'A'))).rcode;
  assert.equal(await rcode(NAME), 'REFUSED');
  assert.equal(await rcode('other.ns'), 'SERVFAIL');
  server.heal(NAME);
  assert.equal(await rcode(NAME), 'SERVFAIL');
  server.heal();
  assert.equal(await rcode(NAME), 'NOERROR');
  server.fail(NAME, 'malformed');
  const malformed = await overUdp(server, encodeQuery(NAME, 'A'));
  assert.equal(malformed.readUInt16BE(6), 1);
  assert.equal(malformed.length, 12 + (NAME.length + 2 + 4) + 14);
});

test('paused, it hears and says nothing', async (t) => {
  const { server, defer } = await start(t);
  server.set(NAME, ['10.0.0.1']);
  server.pause();
  const socket = createSocket('udp4');
  defer(() => socket.close());
  const heard: Buffer[] = [];
  socket.on('message', (message) => heard.push(message));
  socket.send(encodeQuery(NAME, 'A'), server.port, server.host);
  await eventually(() => server.queries.length === 1);
  server.resume();
  socket.send(encodeQuery(NAME, 'AAAA'), server.port, server.host);
  await eventually(() => heard.length === 1);
  assert.equal(decode(heard[0] as Buffer).questions?.[0]?.type, 'AAAA');
});

test('a raw responder may send what it likes, from where it likes, in what pieces it likes', async (t) => {
  const { server } = await start(t);
  server.set(NAME, ['10.0.0.1']);
  server.respond = async (_query, exchange) => {
    if (exchange.transport === 'tcp') return exchange.trickle(exchange.build(), 0);
    exchange.reply(Buffer.from('noise'));
  };
  assert.equal((await overUdp(server, encodeQuery(NAME, 'A'))).toString(), 'noise');
  assert.deepEqual(addresses(await overTcp(server, encodeQuery(NAME, 'A'))), ['10.0.0.1']);
  const socket = createSocket('udp4');
  server.respond = (_query, exchange) => exchange.replyFromElsewhere(exchange.build(), '127.0.0.9');
  socket.send(encodeQuery(NAME, 'A'), server.port, server.host);
  const [, from] = await once(socket, 'message');
  socket.close();
  assert.equal(from.address, '127.0.0.9');
  assert.notEqual(from.port, server.port);
  server.respond = (_query, exchange) => exchange.reset();
  await assert.rejects(overTcp(server, encodeQuery(NAME, 'A')), { code: 'ECONNRESET' });
});

test('a cache shows a change when the old answer has expired, and its TTL counts down till then', () => {
  let now = 0;
  const zone = new DnsZone();
  const cache = new DnsCache(zone, 30, () => now);
  const ask = () => cache.answer('svc.ns', 'A').answers.map(({ data, ttl }) => `${data} ${ttl}`);
  zone.set('svc.ns', ['10.0.0.1'], { ttl: 5 });
  assert.deepEqual(ask(), ['10.0.0.1 5']);
  zone.set('svc.ns', ['10.0.0.2'], { ttl: 60 });
  now = 2_100;
  assert.deepEqual(ask(), ['10.0.0.1 3']);
  now = 4_999;
  assert.deepEqual(ask(), ['10.0.0.1 1']);
  now = 5_000;
  assert.deepEqual(ask(), ['10.0.0.2 30']);
});

test('a cache holds an entry for each pair of DO and CD, as the bits of the query have them', () => {
  const zone = new DnsZone();
  const cache = new DnsCache(zone, 30, () => 0);
  const bits = [false, true].flatMap((dnssecOk) =>
    [false, true].map((checkingDisabled) => ({ dnssecOk, checkingDisabled })),
  );
  const ask = (pair: (typeof bits)[number]) => cache.answer('svc.ns', 'A', pair).answers.map(({ data }) => data);
  for (const [index, pair] of bits.entries()) {
    zone.set('svc.ns', [`10.0.0.${index}`]);
    assert.deepEqual(ask(pair), [`10.0.0.${index}`]);
  }
  assert.deepEqual(
    bits.map(ask),
    bits.map((_, index) => [`10.0.0.${index}`]),
  );
  assert.deepEqual(
    cache.answer('svc.ns', 'A').answers.map(({ data }) => data),
    ['10.0.0.0'],
  );
  for (const { dnssecOk, checkingDisabled } of bits) {
    const opt = { type: 'OPT', name: '.', udpPayloadSize: 1232, flags: dnssecOk ? packet.DNSSEC_OK : 0, options: [] };
    const query = packet.encode({
      type: 'query',
      id: 1,
      flags: checkingDisabled ? packet.CHECKING_DISABLED : 0,
      questions: [{ type: 'A', name: 'svc.ns' }],
      additionals: [opt as unknown as packet.OptAnswer],
    });
    assert.deepEqual(parseQuery(query, 'udp').bits, { dnssecOk, checkingDisabled });
  }
});
