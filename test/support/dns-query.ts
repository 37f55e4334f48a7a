/** One exchange with a server on loopback whose every octet the test decides. */
import assert from 'node:assert/strict';
import {
  type ExchangeFailureReason,
  type ExchangeRequest,
  type ExchangeResult,
  exchange,
  type Transport,
} from '../../lib/dns/exchange.js';
import type { Response } from '../../lib/dns/response.js';
import type { ServerAddress } from '../../lib/dns/settings.js';
import { systemRuntime } from '../../lib/runtime.js';
import { DiscoveryCounter, type DiscoveryCounters } from '../../lib/telemetry/counters.js';
import { type DnsExchange, type DnsQuery, DnsServer } from './dns-server.js';
import type { Defer } from './leak-check.js';
import { a, HOSTNAME, response } from './wire.js';

export interface Asked {
  readonly result: Promise<ExchangeResult>;
  readonly counters: DiscoveryCounters;
  readonly abort: AbortController;
}

/** Asks for `HOSTNAME`. The deadline is one that no test waits for, except by its own clock. */
export function ask(
  server: ServerAddress,
  transport: Transport,
  changes: Partial<Pick<ExchangeRequest, 'clock' | 'edns' | 'bits'>> = {},
): Asked {
  const { counters, emit } = new DiscoveryCounter();
  const abort = new AbortController();
  const request: ExchangeRequest = {
    server,
    question: { hostname: HOSTNAME, type: 'A' },
    transport,
    edns: false,
    timeoutMs: 20_000,
    clock: systemRuntime.clock,
    emit,
    signal: abort.signal,
    ...changes,
  };
  const result = exchange(request);
  result.catch(() => {}); // The test looks at it later.
  return { result, counters, abort };
}

export type Answering = (query: DnsQuery, exchange: DnsExchange) => void | Promise<void>;

export async function serve(defer: Defer, respond: Answering, host = '127.0.0.1'): Promise<DnsServer> {
  const server = await DnsServer.start({ host });
  defer(() => server.close());
  server.respond = respond;
  return server;
}

/** `asked` resolves with the first query and its exchange, which the test answers when it wants to. */
export function heldBack(): { respond: Answering; asked: Promise<[DnsQuery, DnsExchange]> } {
  let arrived: (pair: [DnsQuery, DnsExchange]) => void;
  const asked = new Promise<[DnsQuery, DnsExchange]>((resolve) => {
    arrived = resolve;
  });
  return { respond: (query, exchange) => arrived([query, exchange]), asked };
}

export const good = (query: DnsQuery): Buffer => response({ query: query.buffer, answers: [a('10.0.0.1')] });

export async function responseOf({ result }: Asked): Promise<Response> {
  const settled = await result;
  assert.ok(settled.kind === 'response', settled.kind);
  return settled.response;
}

export async function addressesOf(asked: Asked): Promise<readonly string[]> {
  return (await responseOf(asked)).addresses;
}

export async function fails({ result }: Asked, reason: ExchangeFailureReason, message?: RegExp): Promise<void> {
  const settled = await result;
  assert.ok(settled.kind === 'failed', settled.kind);
  assert.equal(settled.failure.reason, reason);
  if (message) assert.match(settled.failure.message, message);
}
