import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Lookup, LookupResolver, type LookupResult, lookupLimitMs } from '../../lib/dns/lookup-resolver.js';
import type { Outcome } from '../../lib/dns/resolution.js';
import { DiscoveryCounter } from '../../lib/telemetry/counters.js';
import type { Emit, TelemetryEvent } from '../../lib/telemetry/events.js';
import { covers } from '../faults/covers.js';
import { FakeClock } from '../support/fake-clock.js';

const idle = new AbortController().signal;

function resolverOf(lookup: Lookup, emit: Emit = () => {}, clock = new FakeClock()): LookupResolver {
  return new LookupResolver('svc', lookup, { clock, limitMs: 300, emit });
}

async function outcomeOf(lookup: Lookup): Promise<Outcome | undefined> {
  return (await resolverOf(lookup).resolve(idle)).outcomes.get('lookup');
}

function failing(error: unknown): Promise<Outcome | undefined> {
  return outcomeOf(() => Promise.reject(error));
}

const codeOf = (outcome: Outcome | undefined): string | undefined =>
  outcome === undefined || outcome.kind === 'addresses' ? undefined : `${outcome.kind} ${outcome.error.code}`;

describe("the user's lookup", () => {
  it('gives the addresses that it returns, each once', async () => {
    const outcome = await outcomeOf(async () => ({ addresses: ['10.0.0.1', '::1', '10.0.0.1'], ttlMs: 7 }));
    assert.deepEqual(outcome, { kind: 'addresses', addresses: ['10.0.0.1', '::1'], ttlMs: 7, partial: false });
  });

  it('gives no address that no connection can be opened to, and counts those', covers(29), async () => {
    const { counters, emit } = new DiscoveryCounter();
    const lookup = async () => ({ addresses: ['0.0.0.0', '10.0.0.1', '224.0.0.1'], ttlMs: 0 });
    const resolver = resolverOf(lookup, emit);
    const outcome = (await resolver.resolve(idle)).outcomes.get('lookup');
    assert.deepEqual(outcome?.kind === 'addresses' && outcome.addresses, ['10.0.0.1']);
    assert.equal(counters.refusedAddresses, 2);
  });

  it('gives NODATA when it returns an empty array', async () => {
    assert.equal(codeOf(await outcomeOf(async () => ({ addresses: [], ttlMs: 0 }))), 'empty ERR_HEADLESS_DNS_NODATA');
  });

  it('fails when it returns something else than a result', async () => {
    const results: unknown[] = [undefined, null, {}, { addresses: 'x', ttlMs: 0 }, { addresses: ['svc'], ttlMs: 0 }];
    results.push(
      { addresses: ['10.0.0.1'] },
      { addresses: ['10.0.0.1'], ttlMs: -1 },
      { addresses: ['10.0.0.1'], ttlMs: Number.NaN },
    );
    for (const result of results)
      assert.equal(codeOf(await outcomeOf(async () => result as never)), 'failed ERR_HEADLESS_DNS_LOOKUP');
  });

  const misshapen: [what: string, result: unknown, got: string][] = [
    ['an array of addresses', ['10.0.0.1'], 'got the array ["10.0.0.1"]'],
    [
      "the records of node:dns's lookup with all: true",
      [{ address: '10.0.0.1', family: 4 }],
      'got the array [{"address":"10.0.0.1","family":4}]',
    ],
    ['one address', '10.0.0.1', 'got "10.0.0.1"'],
    ['nothing', undefined, 'got undefined'],
    ['no addresses', { ttlMs: 5 }, 'got addresses: undefined'],
    ['a name', { addresses: ['svc'], ttlMs: 5 }, 'got addresses: ["svc"]'],
    ['no TTL', { addresses: ['10.0.0.1'] }, 'got ttlMs: undefined'],
    ['a TTL of another type', { addresses: ['10.0.0.1'], ttlMs: 5n }, 'got ttlMs: 5n'],
  ];
  for (const [what, result, got] of misshapen)
    it(`that returns ${what} fails with what it got and what it should return`, async () => {
      const outcome = await outcomeOf(async () => result as never);
      assert.equal(codeOf(outcome), 'failed ERR_HEADLESS_DNS_LOOKUP');
      const message = outcome?.kind === 'failed' ? outcome.error.message : '';
      assert.match(
        message,
        /^lookup of "svc" failed: it must resolve to \{ addresses: string\[\], ttlMs: number >= 0 \}/,
      );
      assert.ok(message.endsWith(`but ${got}`), message);
    });

  it('shows the beginning of a long result in its error', async () => {
    const outcome = await outcomeOf(async () => Array.from({ length: 1_000 }, () => '10.0.0.1') as never);
    const message = outcome?.kind === 'failed' ? outcome.error.message : '';
    assert.ok(message.length < 500 && message.endsWith('…'), message);
  });

  it('may throw errors with the codes of node:dns', async () => {
    const coded = (code: string): Error => Object.assign(new Error('no'), { code });
    assert.equal(codeOf(await failing(coded('ENOTFOUND'))), 'empty ERR_HEADLESS_DNS_NXDOMAIN');
    assert.equal(codeOf(await failing(coded('ENODATA'))), 'empty ERR_HEADLESS_DNS_NODATA');
    assert.equal(codeOf(await failing(coded('ETIMEOUT'))), 'failed ERR_HEADLESS_DNS_TIMEOUT');
    assert.equal(codeOf(await failing(new Error('no'))), 'failed ERR_HEADLESS_DNS_LOOKUP');
    assert.equal(codeOf(await failing('no')), 'failed ERR_HEADLESS_DNS_LOOKUP');
  });

  it('may throw before it returns a promise', async () => {
    const outcome = await outcomeOf(() => {
      throw new Error('at once');
    });
    assert.equal(codeOf(outcome), 'failed ERR_HEADLESS_DNS_LOOKUP');
  });

  it('does not delay a resolution whose signal has aborted', covers(44), async () => {
    const abort = new AbortController();
    const resolving = resolverOf(() => new Promise(() => {})).resolve(abort.signal);
    abort.abort(new Error('closed'));
    await assert.rejects(resolving, { message: 'closed' });
  });

  it('that does not settle fails when its time is over: its signal aborts, and a late result is ignored', async () => {
    const clock = new FakeClock();
    const events: TelemetryEvent[] = [];
    let settle: Parameters<ConstructorParameters<typeof Promise<LookupResult>>[0]> | undefined;
    let signal: AbortSignal | undefined;
    const lookup: Lookup = (_hostname, options) => {
      signal = options.signal;
      return new Promise((...both) => {
        settle = both;
      });
    };
    const resolving = resolverOf(lookup, (event) => events.push(event), clock).resolve(idle);
    await clock.advance(299);
    assert.equal(signal?.aborted, false);
    await clock.advance(1);
    const outcome = (await resolving).outcomes.get('lookup');
    assert.equal(codeOf(outcome), 'failed ERR_HEADLESS_DNS_TIMEOUT');
    assert.equal(
      outcome?.kind === 'failed' && outcome.error.message,
      'lookup of "svc" failed: it did not settle within 300 ms; dns.timeoutMs x dns.attempts sets another limit',
    );
    assert.equal(signal?.aborted, true);
    assert.deepEqual(events.at(-1), { kind: 'query_failed', transport: 'lookup', reason: 'timeout' });
    const told = events.length;
    settle?.[1](new Error('much later'));
    await clock.advance(1_000);
    assert.deepEqual([events.length, clock.timers], [told, 0]);
  });

  it('leaves no timer when it settles, throws or is aborted in time', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const throwing: Lookup = () => {
      throw new Error('at once');
    };
    await resolverOf(async () => ({ addresses: ['10.0.0.1'], ttlMs: 0 }), undefined, clock).resolve(idle);
    await resolverOf(throwing, undefined, clock).resolve(idle);
    const resolving = resolverOf(() => new Promise(() => {}), undefined, clock).resolve(abort.signal);
    abort.abort();
    await assert.rejects(resolving);
    assert.equal(clock.timers, 0);
  });

  it('may take 10 s, or dns.timeoutMs for each attempt where that is set', () => {
    const limits = [
      { timeoutMs: null, attempts: null },
      { timeoutMs: null, attempts: 5 },
      { timeoutMs: 200, attempts: null },
      { timeoutMs: 200, attempts: 3 },
    ].map(lookupLimitMs);
    assert.deepEqual(limits, [10_000, 10_000, 400, 600]);
  });
});
