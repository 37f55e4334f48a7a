/** The whole fuzz corpus through the stub resolver over real sockets, UDP and TCP. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Transport } from '../../lib/dns/exchange.js';
import type { Outcome } from '../../lib/dns/resolution.js';
import { serviceQuery } from '../../lib/dns/service-query.js';
import { StubResolver } from '../../lib/dns/stub-resolver.js';
import { systemRuntime } from '../../lib/runtime.js';
import { DiscoveryCounter, type DiscoveryCounters } from '../../lib/telemetry/counters.js';
import { type Shape, titleOf } from '../fuzz/corpus/shape.js';
import { CORPUS } from '../fuzz/corpus.js';
import { type DnsQuery, DnsServer } from '../support/dns-server.js';
import { a, HOSTNAME, record, response, TYPE, u16 } from '../support/wire.js';

/** The id of the query that the corpus was made for. */
const CORPUS_ID = 0x1234;
/** The largest payload of a datagram: 65,535 octets without the headers of IP and UDP. */
const MOST_UDP_OCTETS = 65_507;

/** The shape as a response to this query: its id differs from the query's as it did from that of the corpus. */
function answering(query: DnsQuery, { message }: Shape): Buffer {
  if (message.length < 2) return message;
  const id = message.readUInt16BE(0) ^ CORPUS_ID ^ query.id;
  return Buffer.concat([u16(id), message.subarray(2)]);
}

function good(query: DnsQuery, { type }: Shape): Buffer {
  const v6 = record({ type: TYPE.AAAA, rdata: Buffer.from(`fd${'00'.repeat(14)}02`, 'hex') });
  return response({ query: query.buffer, answers: [type === 'A' ? a('127.0.0.2') : v6] });
}

const GOOD = { A: '127.0.0.2', AAAA: 'fd00::2', SRV: '' } as const;
const SERVICE = '_grpc._tcp.svc.ns';

async function resolve(
  t: TestContext,
  shape: Shape,
  transport: Transport,
): Promise<{ outcome: Outcome; counters: Readonly<DiscoveryCounters> }> {
  const server = await DnsServer.start();
  t.after(() => server.close());
  const settings = {
    servers: [{ host: server.host, port: server.port }],
    family: shape.type === 'A' ? ('ipv4' as const) : ('ipv6' as const),
    timeoutMs: 20_000,
    attempts: 1,
    search: [],
    ndots: 0,
    resolvConf: '/nonexistent',
  };
  const { counters, emit } = new DiscoveryCounter();
  const isService = shape.type === 'SRV';
  const client = new StubResolver(isService ? SERVICE : HOSTNAME, true, settings, systemRuntime, {
    emit,
    ...(isService ? { query: serviceQuery('ipv4', systemRuntime.clock) } : {}),
  });
  server.respond = (query, exchange) => {
    // A target that the shape has no address for.
    if (query.type !== shape.type) return exchange.reply(response({ query: query.buffer, rcode: 3 }));
    if (transport === 'tcp' && exchange.transport === 'udp')
      return exchange.reply(response({ query: query.buffer, flags: 0x8380 }));
    exchange.reply(answering(query, shape));
    // A message that is ignored must not prevent the good response from being accepted.
    if (transport === 'udp') exchange.reply(good(query, shape));
  };
  const { outcomes } = await client.resolve(new AbortController().signal);
  const outcome = outcomes.get(shape.type);
  assert.ok(outcome);
  return { outcome, counters };
}

function code(outcome: Outcome): string {
  return outcome.kind === 'addresses' ? 'addresses' : outcome.error.code.replace('ERR_HEADLESS_DNS_', '');
}

/** Of services as the corpus has them, `"port target addresses"`. */
function endpointsOf(services: readonly string[]): string[] {
  return services.flatMap((service) => {
    const [port, , ...addresses] = service.split(' ');
    return addresses.map((address) => `${address}:${port}`);
  });
}

/** The reason for a response without addresses. */
function expectedCode(rcode: string): string {
  return { NOERROR: 'NODATA', NXDOMAIN: 'NXDOMAIN' }[rcode] ?? 'RCODE';
}

for (const transport of ['udp', 'tcp'] as const)
  describe(`over ${transport}, a response with`, () => {
    for (const shape of CORPUS) {
      if (transport === 'udp' && shape.message.length > MOST_UDP_OCTETS) continue;
      it(titleOf(shape), shape.coverage ?? {}, async (t) => {
        const { outcome, counters } = await resolve(t, shape, transport);
        const expected = shape.outcome;
        if ('malformed' in expected) {
          assert.equal(code(outcome), 'MALFORMED');
          assert.equal(counters.malformed, 1);
        } else if ('ignored' in expected) {
          const counter = {
            'not-a-response': 'dropped',
            'id-mismatch': 'wrongId',
            'question-mismatch': 'wrongQuestion',
          } as const;
          const counted = counters[counter[expected.ignored]];
          if (transport === 'tcp') assert.equal(code(outcome), 'MALFORMED');
          else assert.equal(counted, expected.ignored === 'id-mismatch' ? 2 : 1);
          // Another id over UDP leads to TCP, where it fails.
          if (transport === 'udp' && expected.ignored !== 'id-mismatch')
            assert.deepEqual(outcome.kind === 'addresses' && outcome.addresses, [GOOD[shape.type]]);
        } else if ('services' in expected) {
          const found = outcome.kind === 'addresses' ? outcome.addresses : [];
          assert.deepEqual(found, endpointsOf(expected.services));
          if (found.length === 0) assert.equal(code(outcome), 'NODATA');
          assert.equal(counters.refusedAddresses, expected.refused ?? 0);
        } else if (expected.addresses.length > 0) {
          assert.deepEqual(
            outcome.kind === 'addresses' && [...outcome.addresses].sort(),
            [...expected.addresses].sort(),
          );
          assert.equal(counters.refusedAddresses, expected.refused ?? 0);
        } else assert.equal(code(outcome), expectedCode(expected.rcode ?? 'NOERROR'));
      });
    }
  });
