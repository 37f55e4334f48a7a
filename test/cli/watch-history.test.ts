import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { History } from '../../lib/cli/watch/history.js';
import type { Span } from '../../lib/cli/watch/view.js';
import type { DnsStatus, EndpointSnapshot } from '../../lib/index.js';
import { ejection, endpoint, START, snapshot, UNANSWERED } from './watch-snapshots.js';

function createHistory(options: Partial<ConstructorParameters<typeof History>[0]> = {}): History {
  return new History({ session: 'a', calls: false, ...options }, START);
}

const A = '10.1.0.1:50051';
const B = '10.1.0.2:50051';

function texts(changes: readonly { readonly address: string | null; readonly text: string }[]): string[] {
  return changes.map(({ address, text }) => (address === null ? text : `${address} ${text}`));
}

test('a pod that comes, gets ready, loses its connection and leaves is told of at each step', () => {
  const history = createHistory();
  history.observe(snapshot({ state: 'CONNECTING', dns: UNANSWERED }), START);
  const seen = (state: string | null, at: number) =>
    texts(
      history
        .observe(
          snapshot({ endpoints: state === null ? [] : [endpoint(A, state, START + at)], dns: { addresses: [] } }),
          START + at,
        )
        .filter(({ about }) => about === 'pod'),
    );
  assert.deepEqual(seen('connecting', 1_000), [`${A} added: connecting`]);
  assert.deepEqual(seen('ready', 1_250), [`${A} ready after 250 ms`]);
  assert.deepEqual(seen('connecting', 9_000), [`${A} connection lost, connecting again`]);
  assert.deepEqual(seen('backoff', 9_100), [`${A} cannot be connected to, trying again`]);
  assert.deepEqual(seen('ready', 12_100), [`${A} ready after 3 s`]);
  assert.deepEqual(seen('draining', 20_000), [`${A} left DNS, draining`]);
  assert.deepEqual(seen('ready', 21_000), [`${A} back in DNS, the connection was kept`]);
  assert.deepEqual(seen('draining', 30_000), [`${A} left DNS, draining`]);
  assert.deepEqual(seen(null, 60_000), [`${A} gone: the drained connection is closed`]);
  assert.deepEqual(seen(null, 61_000), []);
  const [pod] = history.since(0, START + 61_000).pods;
  assert.equal(pod?.goneAt, START + 60_000);
  assert.deepEqual(pod?.spans.at(-1), { state: 'draining', from: START + 30_000, to: START + 60_000 });
  assert.deepEqual(seen('connecting', 70_000), [`${A} added: connecting`]);
  assert.equal(history.since(0, START + 70_000).pods[0]?.goneAt, null);
});

test('the reason why a pod cannot be connected to is told', () => {
  const history = createHistory();
  const failing = endpoint(A, 'backoff', START, { lastError: 'Error: connect ECONNREFUSED' });
  assert.match(
    texts(history.observe(snapshot({ endpoints: [failing] }), START)).join(),
    /trying again: connect ECONNREFUSED/,
  );
  assert.equal(history.since(0, START).pods[0]?.lastError, 'connect ECONNREFUSED');
});

/** Observes one pod, connected since START, as it changes; returns what is told of it. */
function observePod(history: History) {
  return (at: number, parts: Partial<EndpointSnapshot> = {}, state = 'ready') =>
    texts(
      history
        .observe(snapshot({ endpoints: [endpoint(A, state, START, parts), endpoint(B, 'ready', START)] }), START + at)
        .filter(({ address }) => address === A),
    ).map((text) => text.slice(A.length + 1));
}

test('an ejection is told with its length and its reason, and its end as the trial that follows', () => {
  const history = createHistory({ outlier: true });
  const seen = observePod(history);
  const ejected = ejection(START + 900, 10_000);
  assert.deepEqual(seen(0), ['added: ready']);
  assert.deepEqual(seen(1_000, { ejected }), ['ejected for 10 s: 5 failures in a row, the last one UNAVAILABLE']);
  assert.deepEqual(seen(1_200, { ejected, failed: 6 }), []);
  const { pods, changes, outlier } = history.since(0, START + 1_200);
  assert.deepEqual([pods[0]?.ejected, pods[1]?.ejected, outlier], [ejected, null, true]);
  assert.equal(changes.at(-1)?.at, START + 900);
  assert.deepEqual(seen(10_900), ['its ejection has ended: one call tries it first']);
  const again = ejection(START + 11_000, 20_000, 'its first call after an ejection ended with UNAVAILABLE');
  assert.deepEqual(seen(11_000, { ejected: again }), [
    'ejected for 20 s: its first call after an ejection ended with UNAVAILABLE',
  ]);
  assert.deepEqual(
    history.since(0, START + 11_000).pods[0]?.spans.map(({ state, from }) => [state, from - START]),
    [
      ['ready', 0],
      ['ejected', 900],
      ['ready', 10_900],
      ['ejected', 11_000],
    ],
  );
});

test('a second ejection between two snapshots is told, and the state goes on', () => {
  const history = createHistory({ outlier: true });
  const seen = observePod(history);
  seen(0, { ejected: ejection(START, 100) });
  assert.deepEqual(seen(200, { ejected: ejection(START + 110, 200) }), [
    'ejected for 200 ms: 5 failures in a row, the last one UNAVAILABLE',
  ]);
  assert.equal(history.since(0, START + 200).pods[0]?.spans.length, 1);
});

test('a pod that does not serve is unhealthy, with the answer of its health check, until it serves', () => {
  const history = createHistory();
  const seen = observePod(history);
  assert.deepEqual(seen(0, { health: 'SERVING' }), ['added: ready']);
  assert.deepEqual(seen(1_000, { health: 'NOT_SERVING' }), ['unhealthy: its health check says NOT_SERVING']);
  assert.deepEqual(seen(2_000, { health: 'SERVICE_UNKNOWN' }), ['unhealthy: its health check says SERVICE_UNKNOWN']);
  assert.equal(history.since(0, START + 2_000).pods[0]?.health, 'SERVICE_UNKNOWN');
  assert.deepEqual(seen(3_000, { health: 'SERVING' }), ['healthy again: its health check says SERVING']);
  assert.deepEqual(seen(4_000, { health: 'UNKNOWN' }, 'connecting'), ['connection lost, connecting again']);
  assert.deepEqual(seen(5_000, { health: 'UNKNOWN' }), ['unhealthy: no answer to its health check']);
  assert.deepEqual(seen(6_000, { health: 'NOT_SERVING' }, 'draining'), ['left DNS, draining']);
});

test('a pod without a health service is ready, and that is told', () => {
  const seen = observePod(createHistory());
  assert.deepEqual(seen(0, { health: 'UNIMPLEMENTED' }), ['added: ready, without a health service']);
});

test('a pod that is ejected and does not serve is unhealthy, and each change of both is told', () => {
  const history = createHistory({ outlier: true });
  const seen = observePod(history);
  const [first, second] = [ejection(START + 1_000, 5_000), ejection(START + 8_000, 10_000)];
  const states = () => history.since(0, START + 20_000).pods[0]?.spans.map(({ state }) => state);
  seen(0, { health: 'SERVING' });
  seen(1_000, { health: 'SERVING', ejected: first });
  assert.deepEqual(seen(2_000, { health: 'NOT_SERVING', ejected: first }), [
    'unhealthy: its health check says NOT_SERVING',
  ]);
  assert.deepEqual(seen(6_000, { health: 'NOT_SERVING' }), ['its ejection has ended']);
  assert.deepEqual(seen(8_000, { health: 'NOT_SERVING', ejected: second }), [
    'ejected for 10 s: 5 failures in a row, the last one UNAVAILABLE',
  ]);
  assert.deepEqual(seen(9_000, { health: 'SERVING', ejected: second }), ['healthy again, and still ejected']);
  assert.deepEqual(states(), ['ready', 'ejected', 'unhealthy', 'ejected']);
  assert.deepEqual(seen(10_000, { ejected: second, since: START + 10_000 }, 'connecting'), [
    'connection lost, connecting again',
  ]);
  const again = { health: 'SERVING', ejected: second, since: START + 11_000 } as const;
  assert.deepEqual(seen(11_000, again), ['connected after 1 s, and still ejected']);
});

test('panic is told when it begins and when it ends', () => {
  const history = createHistory();
  const seen = (health: EndpointSnapshot['health']) =>
    history
      .observe(snapshot({ endpoints: [endpoint(A, 'ready', START, { health })] }), START)
      .filter(({ about }) => about === 'channel')
      .map(({ text, tone }) => `${tone}: ${text}`);
  assert.deepEqual(seen('SERVING'), ['good: is READY']);
  assert.deepEqual(seen('NOT_SERVING'), [
    'bad: is in panic: every connected pod is ejected or unhealthy, so all of them get calls',
  ]);
  assert.deepEqual(seen('NOT_SERVING'), []);
  assert.equal(history.since(0, START).panic, true);
  assert.deepEqual(seen('SERVING'), ['good: is no longer in panic']);
  assert.equal(history.since(0, START).panic, false);
});

test('each DNS answer is kept with what it changed, its TTL and the number of queries', () => {
  const history = createHistory();
  history.observe(snapshot({ dns: UNANSWERED }), START);
  const answer = (addresses: string[], at: number, queries: number, more: Partial<DnsStatus> = {}) =>
    texts(
      history.observe(
        snapshot({ dns: { addresses, answeredAt: START + at, ...more }, counters: { queries } }),
        START + at + 5,
      ),
    );
  assert.deepEqual(answer(['10.1.0.1'], 10, 1), ['answer: 1 address, TTL 30 s, from 10.96.0.10:53 over udp']);
  assert.deepEqual(answer(['10.1.0.1'], 5_000, 2), ['answer: 1 address, TTL 30 s, from 10.96.0.10:53 over udp']);
  assert.deepEqual(answer(['10.1.0.2', '10.1.0.3'], 10_000, 4, { transport: 'tcp' }), [
    'answer: 2 addresses (+2 -1), TTL 30 s, from 10.96.0.10:53 over tcp',
  ]);
  const { queries, changes } = history.since(0, START + 11_000);
  assert.deepEqual(
    queries.map(({ at, added, removed, questions }) => ({ at: at - START, added, removed, questions })),
    [
      { at: 10, added: ['10.1.0.1'], removed: [], questions: 1 },
      { at: 5_000, added: [], removed: [], questions: 1 },
      { at: 10_000, added: ['10.1.0.2', '10.1.0.3'], removed: ['10.1.0.1'], questions: 2 },
    ],
  );
  assert.deepEqual(
    changes.filter(({ about }) => about === 'dns').map(({ routine }) => routine),
    [false, true, false],
  );
});

test('NXDOMAIN and failures are told apart, with what stays in use', () => {
  const history = createHistory();
  history.observe(snapshot({ dns: { addresses: ['10.1.0.1'] } }), START);
  const empty = { addresses: ['10.1.0.1'], rcode: 'NXDOMAIN', error: 'no such name' };
  assert.deepEqual(texts(history.observe(snapshot({ dns: empty, counters: { emptyAnswers: 1 } }), START + 1_000)), [
    'no addresses: no such name; 1 address stays in use',
  ]);
  const failed = { addresses: ['10.1.0.1'], error: 'timed out', failures: 2 };
  const counters = { emptyAnswers: 1, failures: 1 };
  assert.deepEqual(texts(history.observe(snapshot({ dns: failed, counters }), START + 2_000)), [
    'failed: timed out (failure 2 in a row); 1 address stays in use',
  ]);
  const outcomes = history.since(0, START + 2_000).queries.map(({ outcome, at }) => [outcome, at - START]);
  assert.deepEqual(outcomes, [
    ['addresses', 0],
    ['empty', 1_000],
    ['failed', 2_000],
  ]);
});

test('a cache that is found, and a zone without names, are told of once', () => {
  const history = createHistory();
  const cache = { state: 'unknown' as const, ttlMs: 20_000, expiresInMs: [] };
  const zone = { name: 'eu-1', mode: 'prefer' as const, fallback: false };
  history.observe(snapshot({ dns: { cache, zone } }), START);
  const found = {
    cache: { ...cache, state: 'present' as const, expiresInMs: [4_000, 9_000] },
    zone: { ...zone, fallback: true },
  };
  const told = texts(history.observe(snapshot({ dns: found }), START + 100));
  assert.deepEqual(told, [
    'a cache is in front, with a TTL of 20 s: each entry is read just after it expires',
    'DNS has no name for the zone eu-1: pods of every zone are used alike',
  ]);
  assert.deepEqual(history.since(0, START + 100).dns.cache?.expiresAt, [START + 4_100, START + 9_100]);
  assert.deepEqual(history.observe(snapshot({ dns: found }), START + 300), []);
});

test('time alone is no news: the revision stays, and moments stay where they were', () => {
  const history = createHistory();
  const cache = { state: 'present' as const, ttlMs: 30_000, expiresInMs: [9_000] };
  history.observe(snapshot({ endpoints: [endpoint(A, 'ready', START)], dns: { cache } }), START);
  const { revision } = history;
  const later = { ...cache, expiresInMs: [8_001] };
  history.observe(
    snapshot({ endpoints: [endpoint(A, 'ready', START)], dns: { cache: later, ageMs: 1_000 } }),
    START + 1_000,
  );
  assert.equal(history.revision, revision);
  assert.deepEqual(history.since(0, START + 1_000).dns.cache?.expiresAt, [START + 9_000]);
});

test('a difference has the pods that changed and nothing of what was told before', () => {
  const history = createHistory({ calls: true });
  history.observe(snapshot({ endpoints: [endpoint(A, 'ready', START), endpoint(B, 'ready', START)] }), START);
  const { revision } = history;
  const busy = endpoint(B, 'ready', START, { inFlight: 3, started: 4 });
  assert.deepEqual(history.observe(snapshot({ endpoints: [endpoint(A, 'ready', START), busy] }), START + 200), []);
  const { pods, queries, changes, calls } = history.since(revision, START + 200);
  assert.deepEqual(
    pods.map(({ address, inFlight, started }) => [address, inFlight, started]),
    [[B, 3, 4]],
  );
  assert.deepEqual([queries, changes, calls], [[], [], true]);
  assert.equal(history.since(0, START).pods.length, 2);
});

test('what is older than the time kept is forgotten, but not what still lasts', () => {
  const history = createHistory({ keepMs: 60_000 });
  history.observe(snapshot({ endpoints: [endpoint(A, 'ready', START), endpoint(B, 'ready', START)] }), START);
  history.observe(snapshot({ endpoints: [endpoint(A, 'ready', START)] }), START + 1_000);
  const after = START + 70_000;
  history.observe(snapshot({ endpoints: [endpoint(A, 'ready', START)], dns: { answeredAt: after } }), after);
  const { pods, queries, changes, keptFrom } = history.since(0, after);
  assert.equal(keptFrom, START + 10_000);
  assert.deepEqual(
    pods.map(({ address }) => address),
    [A],
  );
  assert.equal(queries.length, 1);
  assert.equal(changes.length, 1);
});

test('however many pods come and go, so many entries are kept at most', () => {
  const history = createHistory({ keepEntries: 10 });
  for (let index = 0; index < 50; index++)
    history.observe(
      snapshot({ endpoints: [endpoint(`10.1.0.${index}:1`, 'ready', START)], dns: { answeredAt: START + index } }),
      START + index,
    );
  const { pods, queries, changes } = history.since(0, START + 50);
  assert.deepEqual([pods.length, queries.length, changes.length], [11, 10, 10]);
  assert.equal(pods.at(-1)?.address, '10.1.0.49:1');
});

test('the spans of a pod follow each other in time, whatever a wall clock and the states do', () => {
  const step = fc.record({
    state: fc.option(fc.constantFrom('connecting', 'ready', 'backoff', 'draining'), { nil: null }),
    afterMs: fc.integer({ min: -2_000, max: 5_000 }),
    sinceMs: fc.integer({ min: -5_000, max: 5_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const history = createHistory();
      let now = START;
      for (const { state, afterMs, sinceMs } of steps) {
        now += afterMs;
        history.observe(snapshot({ endpoints: state === null ? [] : [endpoint(A, state, now + sinceMs)] }), now);
      }
      for (const { spans, goneAt } of steps.length === 0 ? [] : history.since(0, now).pods) {
        let last: Span | null = null;
        for (const span of spans) {
          assert.ok(span.to === null || span.to >= span.from);
          if (last !== null) assert.ok(last.to !== null && last.to <= span.from);
          last = span;
        }
        assert.equal(last?.to === null, goneAt === null);
      }
    }),
  );
});
