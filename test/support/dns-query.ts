/** One question to a server on loopback whose every octet the test decides. */
import assert from 'node:assert/strict';
import { type ExchangeRequest, type ExchangeResult, exchange, type Transport } from '../../lib/dns/exchange.js';
import { type DnsCounters, zeroDnsCounters } from '../../lib/dns/resolution.js';
import type { ServerAddress } from '../../lib/dns/settings.js';
import { type Clock, systemRuntime } from '../../lib/runtime.js';
import { type DnsExchange, type DnsQuery, DnsServer } from './dns-server.js';
import type { Defer } from './leak-check.js';
import { a, HOSTNAME, reply } from './wire.js';

export interface Asked {
  readonly result: Promise<ExchangeResult>;
  readonly counters: DnsCounters;
  readonly abort: AbortController;
}

/** Asks for `HOSTNAME`; a deadline that no test waits for, unless it has a clock of its own. */
export function ask(server: ServerAddress, transport: Transport, clock: Clock = systemRuntime.clock): Asked {
  const counters = zeroDnsCounters();
  const abort = new AbortController();
  const request: ExchangeRequest = {
    server,
    question: { hostname: HOSTNAME, type: 'A' },
    transport,
    edns: false,
    timeoutMs: 20_000,
    clock,
    counters,
    signal: abort.signal,
  };
  const result = exchange(request);
  result.catch(() => {}); // Looked at later.
  return { result, counters, abort };
}

export type Answering = (query: DnsQuery, exchange: DnsExchange) => void | Promise<void>;

export async function serve(defer: Defer, respond: Answering, host = '127.0.0.1'): Promise<DnsServer> {
  const server = await DnsServer.start({ host });
  defer(() => server.close());
  server.respond = respond;
  return server;
}

/** Resolves with the first query's exchange, to be answered when the test likes. */
export function heldBack(): { respond: Answering; asked: Promise<[DnsQuery, DnsExchange]> } {
  let arrived: (pair: [DnsQuery, DnsExchange]) => void;
  const asked = new Promise<[DnsQuery, DnsExchange]>((resolve) => {
    arrived = resolve;
  });
  return { respond: (query, exchange) => arrived([query, exchange]), asked };
}

export const good = (query: DnsQuery): Buffer => reply({ query: query.buffer, answers: [a('10.0.0.1')] });

export async function addressesOf({ result }: Asked): Promise<readonly string[]> {
  const settled = await result;
  assert.equal(settled.kind, 'reply');
  return settled.kind === 'reply' ? settled.reply.addresses : [];
}

export function fails({ result }: Asked, code: string, message?: RegExp): Promise<void> {
  return assert.rejects(result, { code: `ERR_HEADLESS_DNS_${code}`, ...(message && { message }) });
}
