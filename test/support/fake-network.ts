/** A DNS client whose questions are answered in words, without sockets, and what it told. */
import assert from 'node:assert/strict';
import type { ExchangeRequest, ExchangeResult } from '../../lib/dns/exchange.js';
import type { OutcomeSource, Resolution } from '../../lib/dns/resolution.js';
import type { Response } from '../../lib/dns/response.js';
import type { DnsSettings } from '../../lib/dns/settings.js';
import { StubResolver } from '../../lib/dns/stub-resolver.js';
import { DnsError, type DnsErrorCode } from '../../lib/errors.js';
import { FakeClock } from './fake-clock.js';
import { scriptedRandom } from './fake-random.js';

export const NXDOMAIN = { rcode: 'NXDOMAIN', ttlMs: 5_000 };
export const SERVFAIL = { rcode: 'SERVFAIL' };
export const ONE = { host: '10.0.0.1', port: 53 };
const TWO = { host: '10.0.0.2', port: 53 };
export const NAME = 'svc.ns.svc.cluster.local';
const never = new AbortController().signal;

/** What the fake network says to a question: a result, or a word for one. */
export type Word = 'TIMEOUT' | 'UNREACHABLE' | 'MALFORMED' | 'truncated' | 'suspect' | string[] | Partial<Response>;
type Answering = (request: ExchangeRequest) => Word | Promise<Word>;

function answer(word: Exclude<Word, string>): ExchangeResult {
  const said = Array.isArray(word) ? { addresses: word } : word;
  const reply = { rcode: 'NOERROR', truncated: false, addresses: [], refused: 0, ttlMs: 30_000, ...said };
  return { kind: 'reply', reply };
}

export interface World {
  readonly client: StubResolver;
  readonly clock: FakeClock;
  /** `"last octet of the server, transport, type, name"` of all questions so far; emptied by reading. */
  asked(): string[];
  /** What each question was given, in milliseconds. */
  readonly timeouts: number[];
  resolve(): Promise<Resolution>;
}

export interface WorldOptions extends Partial<DnsSettings> {
  hostname?: string;
  absolute?: boolean;
}

export function world(answering: Answering, options: WorldOptions = {}): World {
  const { hostname = NAME, absolute = true, ...settings } = options;
  const clock = new FakeClock();
  let asked: string[] = [];
  const timeouts: number[] = [];
  const client = new StubResolver(
    hostname,
    absolute,
    {
      servers: [ONE, TWO],
      family: 'ipv4',
      timeoutMs: null,
      attempts: null,
      search: null,
      ndots: null,
      resolvConf: '/nonexistent/resolv.conf',
      ...settings,
    },
    { clock, random: scriptedRandom(0) },
    {
      exchange: async (request) => {
        const { server, question, transport, edns } = request;
        request.signal.throwIfAborted();
        const shown = [server.host.split('.')[3], transport, question.type, question.hostname, edns ? '' : 'no-edns'];
        timeouts.push(request.timeoutMs);
        asked.push(shown.join(' ').trim());
        const word = await answering(request);
        if (word === 'truncated' || word === 'suspect') return { kind: word };
        if (typeof word !== 'string') return answer(word);
        const code: DnsErrorCode = `ERR_HEADLESS_DNS_${word}`;
        const details = { hostname: question.hostname, server: `${server.host}:${server.port}` };
        throw new DnsError(code, `${details.server} ${word}`, details);
      },
    },
  );
  const takeAsked = (): string[] => {
    const taken = asked;
    asked = [];
    return taken;
  };
  return { client, clock, asked: takeAsked, timeouts, resolve: () => client.resolve(never) };
}

/** `"A 10.1.0.1,10.1.0.2"`, `"A empty NXDOMAIN"`, `"AAAA failed TIMEOUT"`. */
export function told({ outcomes }: Resolution): string[] {
  return [...outcomes].map(([source, outcome]) =>
    outcome.kind === 'addresses'
      ? `${source} ${outcome.addresses.join()}${outcome.partial ? ' partial' : ''}`
      : `${source} ${outcome.kind} ${outcome.error.code.replace('ERR_HEADLESS_DNS_', '')}`,
  );
}

export function errorOf({ outcomes }: Resolution, source: OutcomeSource = 'A'): DnsError {
  const outcome = outcomes.get(source);
  assert.ok(outcome !== undefined && outcome.kind !== 'addresses');
  return outcome.error;
}
