import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPaint, widthOf } from '../../lib/cli/styled-text.js';
import { type FrameOptions, frame } from '../../lib/cli/watch/frame.js';
import { History } from '../../lib/cli/watch/history.js';
import type { WatchView } from '../../lib/cli/watch/view.js';
import type { EndpointSnapshot } from '../../lib/index.js';
import { ejection, endpoint, START, snapshot } from './watch-snapshots.js';

const STATES = ['ready', 'ready', 'ready', 'connecting', 'backoff', 'draining'] as const;
const HEALTHS = ['SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN', 'UNIMPLEMENTED'] as const;

/** `checks`: with health checks and ejections; none, some or both of them keep a pod from calls. */
function viewOf(pods: number, { calls = false, checks = false, now = START + 65_000 } = {}): WatchView {
  const history = new History({ session: 'a', calls, outlier: checks }, START);
  const counts = { inFlight: 2, started: 40, succeeded: 39, failed: 1 };
  const endpoints = Array.from({ length: pods }, (_, index) =>
    endpoint(`10.1.0.${index + 1}:50051`, STATES[index % STATES.length] ?? '', START + index * 1_000, {
      ...counts,
      health: checks ? (HEALTHS[index % HEALTHS.length] ?? null) : null,
      ejected: checks && index % 3 === 0 ? ejection(START, 90_000) : null,
    }),
  );
  const cache = { state: 'present' as const, ttlMs: 30_000, expiresInMs: [4_000, 11_000, -1, 26_000] };
  const dns = { answeredAt: now - 2_000, nextQueryAt: now + 3_000, cache };
  history.observe(snapshot({ endpoints, dns: { ...dns, answeredAt: START } }), START + pods * 1_000);
  history.observe(snapshot({ endpoints, dns, counters: { polls: 12, queries: 13 } }), now);
  return history.since(0, now);
}

function draw(view: WatchView, options: Partial<FrameOptions> = {}): string[] {
  return frame(view, { columns: 100, rows: 30, paint: createPaint(false), url: null, live: true, ...options });
}

test('a frame shows the state, DNS, the cache, each pod and the latest changes', () => {
  const lines = draw(viewOf(5, { calls: true }), { url: 'http://127.0.0.1:8053/' });
  assert.equal(lines.length, 30);
  assert.match(lines[0] ?? '', /^hello\.shop:50051 +READY {2}3 of 5 pods ready$/);
  assert.equal(lines[1], 'DNS    NOERROR · 5 addresses · TTL 30 s · answered 2 s ago · next query in 3 s');
  assert.equal(lines[2], 'asked  hello.shop.svc.cluster.local · at 10.96.0.10:53 · over udp');
  assert.equal(lines[3], 'cache  present, full TTL 30 s · entries expire in 4 s, 11 s, now, 26 s');
  assert.equal(lines[4], 'page   http://127.0.0.1:8053/');
  assert.match(lines[6] ?? '', /^POD +STATE +FOR +IN FLIGHT +CALLS +FAILED +LAST \d+ s +now$/);
  assert.match(lines[7] ?? '', /^10\.1\.0\.1:50051 {2}● ready +1 min 5 s +2 +40 +1 {2}━+$/);
  assert.match(lines[11] ?? '', /^10\.1\.0\.5:50051 {2}✗ backoff +1 min 1 s .*x+$/);
  assert.ok(lines.includes('CHANGES'));
  assert.ok(lines.some((line) => /^\d\d:\d\d:\d\d {2}10\.1\.0\.5:50051 added: cannot be connected to/.test(line)));
  assert.match(lines[29] ?? '', /^12 polls · 13 queries · for 1 min 5 s +Ctrl-C ends$/);
});

test('counts of calls are shown only where calls are made', () => {
  assert.doesNotMatch(draw(viewOf(2)).join('\n'), /IN FLIGHT|CALLS/);
});

test('ejected and unhealthy pods are shown, with their answers and the time until they take calls again', () => {
  const history = new History({ session: 'a', calls: true, outlier: true }, START);
  const observe = (at: number, second: Partial<EndpointSnapshot>, third: Partial<EndpointSnapshot>) =>
    history.observe(
      snapshot({
        endpoints: [
          endpoint('10.1.0.1:1', 'ready', START, { health: 'SERVING' }),
          endpoint('10.1.0.2:1', 'ready', START, { health: 'SERVING', ...second }),
          endpoint('10.1.0.3:1', 'ready', START, { health: 'SERVING', ...third }),
        ],
        counters: { ejections: 1 },
      }),
      START + at,
    );
  observe(0, {}, {});
  observe(4_000, { ejected: ejection(START + 4_000, 90_000) }, { health: 'NOT_SERVING' });
  const lines = draw(history.since(0, START + 10_000), { columns: 120 });
  assert.match(lines[0] ?? '', /READY {2}1 of 3 pods ready$/);
  const table = lines.slice(lines.findIndex((line) => line.startsWith('POD')));
  assert.match(table[0] ?? '', /^POD +STATE +FOR +HEALTH +CALLS AGAIN +IN FLIGHT /);
  assert.match(table[1] ?? '', /^10\.1\.0\.1:1 {2}● ready +10 s +SERVING {10,}0 .*━{10}$/);
  assert.match(table[2] ?? '', /^10\.1\.0\.2:1 {2}⊘ ejected +6 s +SERVING +in 1 min 24 s +0 .*━{4}░{6}$/);
  assert.match(table[3] ?? '', /^10\.1\.0\.3:1 {2}! unhealthy +6 s +NOT_SERVING {10,}0 .*━{4}!{6}$/);
  assert.match(lines.join('\n'), /10\.1\.0\.2:1 ejected for 1 min 30 s: 5 failures in a row/);
  assert.match(lines.at(-1) ?? '', / · 1 ejection · for 10 s/);
});

test('health and ejections have columns only where they are asked for', () => {
  assert.doesNotMatch(draw(viewOf(2, { calls: true })).join('\n'), /HEALTH|AGAIN/);
});

test('panic has a line of its own', () => {
  const history = new History({ session: 'a', calls: false }, START);
  const endpoints = [endpoint('10.1.0.1:1', 'ready', START, { health: 'NOT_SERVING' })];
  history.observe(snapshot({ endpoints }), START);
  const [title, panic] = draw(history.since(0, START + 500));
  assert.match(title ?? '', /READY {2}0 of 1 pod ready$/);
  assert.equal(panic, 'panic  every connected pod is ejected or unhealthy, so all of them get calls');
});

test('a failure of DNS is shown with its error and the number of failures in a row', () => {
  const history = new History({ session: 'a', calls: false }, START);
  const dns = { failures: 3, error: 'no server answered', rcode: 'SERVFAIL', addresses: ['10.1.0.1'] };
  history.observe(snapshot({ endpoints: [endpoint('10.1.0.1:1', 'ready', START)], dns }), START);
  const lines = draw(history.since(0, START + 500));
  assert.match(lines[1] ?? '', /SERVFAIL · 1 address/);
  assert.equal(lines[2], 'error  no server answered · 3 failures in a row');
});

test('without any pod the frame says so', () => {
  const history = new History({ session: 'a', calls: false }, START);
  history.observe(snapshot({ state: 'CONNECTING' }), START);
  assert.ok(draw(history.since(0, START)).includes('No pod is known.'));
});

test('a pod that went is shown for a minute', () => {
  const history = new History({ session: 'a', calls: false }, START);
  history.observe(snapshot({ endpoints: [endpoint('10.1.0.1:1', 'ready', START)] }), START);
  history.observe(snapshot({ endpoints: [] }), START + 1_000);
  assert.match(draw(history.since(0, START + 30_000)).join('\n'), /10\.1\.0\.1:1 +gone {2,}29 s/);
  assert.doesNotMatch(draw(history.since(0, START + 70_000)).join('\n'), /10\.1\.0\.1:1 +gone {2,}/);
});

test('more pods than rows: those that need a look are shown, and the others are counted', () => {
  const lines = draw(viewOf(60), { rows: 20 });
  assert.equal(lines.length, 20);
  assert.ok(lines.some((line) => /✗ backoff/.test(line)));
  const rest = lines.find((line) => line.startsWith('and '));
  assert.match(rest ?? '', /^and \d+ others: .*30 ready$/);
});

test('a short terminal has the title, DNS and pods', () => {
  const lines = draw(viewOf(3), { rows: 6, columns: 40 });
  assert.deepEqual(
    lines.map((line) => line.split(/ {2,}| · /)[0]),
    ['hello.shop:50…', 'DNS', 'POD', '10.1.0.1:50051', '10.1.0.2:50051', '10.1.0.3:50051'],
  );
});

test('no frame is larger than its terminal, however narrow, short or full', () => {
  fc.assert(
    fc.property(
      fc.record({
        columns: fc.integer({ min: 1, max: 160 }),
        rows: fc.integer({ min: 1, max: 60 }),
        pods: fc.integer({ min: 0, max: 80 }),
        calls: fc.boolean(),
        checks: fc.boolean(),
        coloured: fc.boolean(),
      }),
      ({ columns, rows, pods, calls, checks, coloured }) => {
        const lines = draw(viewOf(pods, { calls, checks }), { columns, rows, paint: createPaint(coloured) });
        assert.ok(lines.length <= rows, `${lines.length} lines`);
        for (const line of lines) {
          assert.ok(widthOf(line) <= columns, line);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing but colours may control the terminal.
          assert.doesNotMatch(line.replace(/\x1b\[[\d;]*m/g, ''), /[\x00-\x1f]/);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('colours that a cut line began are ended', () => {
  for (const line of draw(viewOf(5), { columns: 9, paint: createPaint(true) })) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with one.
    const codes = Array.from(line.matchAll(/\x1b\[(\d+)m/g), ([, code]) => Number(code));
    const begun = codes.filter((code) => code < 20 || code > 29).filter((code) => code !== 39);
    assert.equal(begun.length * 2, codes.length, JSON.stringify(line));
  }
});

test('what is printed at the end of --once has the reason below each pod that cannot be connected to', () => {
  const history = new History({ session: 'a', calls: false, outlier: false }, START);
  const lastError = 'Error: connect ECONNREFUSED 10.1.0.2:50051';
  const endpoints = [
    endpoint('10.1.0.1:50051', 'ready', START),
    endpoint('10.1.0.2:50051', 'backoff', START, { lastError }),
  ];
  history.observe(snapshot({ endpoints }), START + 1_000);
  const lines = draw(history.since(0, START + 1_000), { rows: Number.POSITIVE_INFINITY, live: false });
  const row = lines.findIndex((line) => line.includes('✗ backoff'));
  assert.equal(lines[row + 1], '  connect ECONNREFUSED 10.1.0.2:50051');
  assert.equal(lines.filter((line) => line.includes('ECONNREFUSED')).length, 1);
});

test('DNS that does not answer is told, with the queries that were sent', () => {
  const history = new History({ session: 'a', calls: false, outlier: false }, START);
  const dns = { rcode: null, answeredAt: null, nextQueryAt: null, error: null, addresses: [], server: null };
  history.observe(snapshot({ endpoints: [], dns, counters: { queries: 6, timeouts: 4 } }), START + 500);
  assert.match(draw(history.since(0, START + 500))[1] ?? '', /asking now/);
  const [, line] = draw(history.since(0, START + 5_000));
  assert.match(line ?? '', /no answer for 5 s: 6 queries sent, 4 timed out/);
});
