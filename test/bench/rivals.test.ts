/** The rivals of bench:intervals that are other programs: cells of their own where the programs are there, and what is shown of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHTML } from 'linkedom';
import { analyse, costOf } from '../../bench/intervals/analysis.js';
import { type CellPlan, gridFor, isBaseline, type Rivals } from '../../bench/intervals/grid.js';
import type { Observations } from '../../bench/intervals/measure.js';
import type { ClientLog } from '../../bench/intervals/observer.js';
import { showIntervals } from '../../bench/intervals/show.js';
import { firstAndLastCalls, loadShare } from '../../bench/report/baselines.js';
import { DOCUMENT } from '../../bench/report/chart.js';
import { seededRandom } from '../support/fake-random.js';

const MODES = ['short', 'default', 'full'] as const;
const KUBERESOLVER = 'kuberesolver (grpc-go)';

function labelsOf(mode: (typeof MODES)[number], rivals: Rivals): string[] {
  return gridFor(mode, rivals).cells.map(({ label }) => label);
}

test('kuberesolver is measured next to the watch where it is there, on the same pods, and HAProxy at the end', () => {
  for (const mode of MODES) {
    const plain = labelsOf(mode, {});
    assert.ok(!plain.some((label) => /kuberesolver|HAProxy/.test(label)), mode);
    const position = plain.indexOf('watch') + 1;
    assert.ok(position > 0);
    assert.deepEqual(labelsOf(mode, { kuberesolver: true }), plain.toSpliced(position, 0, KUBERESOLVER));
    assert.deepEqual(labelsOf(mode, { proxy: true }), [...plain, 'HAProxy', 'HAProxy, pods end']);
    const cells = gridFor(mode, { kuberesolver: true }).cells;
    const [watch, rival] = cells.slice(position - 1, position + 1) as [CellPlan, CellPlan];
    assert.deepEqual([rival.cacheTtl, rival.fleet, rival.service], [watch.cacheTtl, watch.fleet, watch.service]);
    assert.ok(isBaseline(rival.client) && !isBaseline(watch.client));
  }
});

const PODS = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
const GAP_MS = 20;
const ADDED_AT = 10_000;
const REMOVED_AT = 40_000;
const ENDED_AT = 60_000;
const FIRST_CALL_MS = 100;
const LAST_CALL_MS = 60;

/** Calls each pod in turn: the third from its first call on, the first until its last one. */
function logOf(id: string, counted: Partial<ClientLog>): ClientLog {
  const calls = Array.from({ length: ENDED_AT / GAP_MS }, (_, index) => index * GAP_MS).map((at, index) => {
    const pods = [0, 1, 2].filter(
      (pod) => (pod !== 2 || at >= ADDED_AT + FIRST_CALL_MS - GAP_MS) && (pod !== 0 || at <= REMOVED_AT + LAST_CALL_MS),
    );
    return { at, pod: pods[index % pods.length] as number };
  });
  return {
    id,
    updates: [],
    connected: [],
    dueAt: Float64Array.from(calls, ({ at }) => at),
    latencyMs: new Float32Array(calls.length).fill(2),
    pod: Uint16Array.from(calls, ({ pod }) => pod),
    pods: PODS,
    calls: {
      started: calls.length + 3,
      answered: calls.length,
      failed: 3,
      byPod: {},
      failedByStatus: { UNAVAILABLE: 3 },
      latency: { p50Ms: 2, p99Ms: 2 } as ClientLog['calls']['latency'],
    },
    polls: null,
    queries: null,
    ...counted,
  };
}

function measured() {
  const whole = gridFor('short', { kuberesolver: true });
  const cells = whole.cells.filter(({ label }) => ['watch', KUBERESOLVER, 'grpc-js'].includes(label));
  const observations: Observations = {
    published: [
      { service: 'steady', kind: 'add', ip: PODS[2] as string, at: ADDED_AT, pods: 3 },
      { service: 'steady', kind: 'remove', ip: PODS[0] as string, at: REMOVED_AT, pods: 2 },
    ],
    podsAtStart: { steady: 2 },
    beganAt: 0,
    endedAt: ENDED_AT,
    processes: new Map(
      cells.map(({ id, group, client }) => [
        group,
        {
          logs: [logOf(id, client.kind === 'watch' ? { polls: 0, queries: 0 } : {})],
          ms: ENDED_AT,
          cpuUs: 1,
          eventLoopDelayP99Ms: 12,
        },
      ]),
    ),
    asked: new Map(cells.filter(({ client }) => client.kind === 'grpc-js').map(({ id }) => [id, 7])),
    cost: { perPollUs: [900, 1_000, 1_100], pods: 3 },
    coldStarts: [],
  };
  const random = seededRandom(1);
  const cost = costOf(observations, random);
  const results = analyse({ ...whole, cells }, observations, cost, random).map(({ cell }) => cell);
  return { results, cost };
}

test('what the calls of kuberesolver tell is measured, and all else is a dash', () => {
  const { results, cost } = measured();
  const cell = results.find(({ plan }) => plan.label === KUBERESOLVER);
  assert.ok(cell);
  const first = cell.firstCall.summary?.p50 ?? Number.NaN;
  assert.ok(first > 0 && first <= FIRST_CALL_MS + 3 * GAP_MS + 2, `${first} ms`);
  const last = cell.lastCall.summary?.max ?? Number.NaN;
  assert.ok(last >= 0 && last <= LAST_CALL_MS, `${last} ms`);
  assert.ok(cell.fairShareMs !== null && cell.fairShareMs < 1_000, `${cell.fairShareMs} ms`);
  assert.deepEqual(cell.failedByStatus, { UNAVAILABLE: 3 });
  const { seen, connected, pollsPerMinute, queriesPerMinute, pollingCpuShare, eventLoopDelayP99Ms } = cell;
  assert.deepEqual([seen.summary, connected.summary], [null, null]);
  assert.deepEqual([pollsPerMinute, queriesPerMinute, pollingCpuShare, eventLoopDelayP99Ms], [null, null, null, null]);

  const text = showIntervals(results, { callsPerSecond: 25, maxConnectionAgeMs: 10_000, graceMs: 10_000, cost });
  const rows = text.split('\n').filter((line) => line.startsWith(KUBERESOLVER));
  assert.equal(rows.length, 2);
  const [times, costs] = rows.map((row) => row.slice(KUBERESOLVER.length).trim().split(/ {2,}/));
  assert.deepEqual(times?.slice(0, 7), ['none', '2', '–', '–', '–', '–', '–']);
  assert.ok(!times?.slice(7).includes('–'), times?.join(' | '));
  assert.deepEqual(costs, ['none', '–', '–', '–', '3,003', '2.00 ms', 'UNAVAILABLE 3']);
});

test('the charts of baselines have kuberesolver, in a colour of its own', () => {
  const { results } = measured();
  for (const figure of [loadShare(results), firstAndLastCalls(results)]) {
    const { document } = parseHTML(`<div>${figure.draw(DOCUMENT)}</div>`);
    const entries = [...document.querySelectorAll('[class*="-swatches"] > span')].map((entry) => [
      entry.textContent?.trim(),
      entry.querySelector('svg')?.getAttribute('fill'),
    ]);
    const colour = new Map(entries as [string, string][]).get(KUBERESOLVER);
    assert.ok(colour, figure.title);
    assert.equal(entries.filter(([, other]) => other === colour).length, 1, figure.title);
    const lines = [...document.querySelectorAll('path')].filter((path) => path.getAttribute('stroke') === colour);
    assert.ok(lines.length > 0, figure.title);
  }
});
