import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FleetPlan, gridFor, PLAIN } from '../../bench/fleet/grid.js';
import { SCENARIOS, scenarioOf } from '../../bench/fleet/scenarios.js';
import { brokenLimits, type FleetCell, sizingOf } from '../../bench/fleet/show.js';
import { simulateFleet } from '../../bench/fleet/simulation.js';
import { seededRandom } from '../support/fake-random.js';

function planOf(scenario: FleetPlan['scenario'], client: string, parts: Partial<FleetPlan> = {}): FleetPlan {
  const plan = gridFor('short', 5_000).find(({ scenario: name, kind }) => name === scenario && kind.label === client);
  assert.ok(plan);
  return { ...plan, clients: 50, ...parts };
}

const simulate = (plan: FleetPlan) => simulateFleet(plan, seededRandom(7));

test('a simulation is the same each time that it runs with the same seed', async () => {
  const plan = planOf('rollout', 'adaptive');
  assert.deepEqual(await simulate(plan), await simulate(plan));
});

test('the plain poll sends one query of each client in each interval, and sees changes half an interval late', async () => {
  const { calmMean, news } = await simulate(planOf('rollout', PLAIN, { pods: 10, clients: 200 }));
  assert.equal(calmMean, 200 / 5);
  assert.ok(news && news.meanMs > 2_000 && news.meanMs < 3_000, `${news?.meanMs}`);
  assert.ok(news.maxMs <= 5_000);
  assert.equal(news.unaware, 0);
});

test('the number of pods alone changes neither the queries nor the news, as long as answers fit a datagram', async () => {
  const [few, many] = [20, 70].map((pods) => simulate(planOf('rollout', 'adaptive', { pods })));
  assert.deepEqual(await few, await many);
});

test('an answer that does not fit a datagram costs a second query, until TCP is asked first', async () => {
  const total = async (pods: number): Promise<number> => {
    const { queriesPerSecond } = await simulate(planOf('start', PLAIN, { pods, clients: 10 }));
    return queriesPerSecond.reduce((sum, queries) => sum + queries, 0);
  };
  // Two truncated answers for each client.
  assert.equal(await total(1_000), (await total(70)) + 2 * 10);
});

test('behind a cache news is as old as its entries', async () => {
  const { news } = await simulate(planOf('rollout', PLAIN, { pods: 10, cacheTtl: 30 }));
  assert.ok(news && news.maxMs > 15_000 && news.maxMs <= 35_000, `${news?.maxMs}`);
});

test('where one replica lags, a client without rules for it takes news back', async () => {
  const { news } = await simulate(planOf('lag', 'adaptive', { pods: 10 }));
  assert.ok(news && news.takenBack > 0);
  assert.equal(news.unaware, 0);
});

test('each client has an answer again after an outage', async () => {
  for (const scenario of ['restart', 'silence'] as const) {
    const { lastBackMs } = await simulate(planOf(scenario, 'adaptive', { pods: 10 }));
    assert.ok(typeof lastBackMs === 'number' && lastBackMs > 0 && lastBackMs < 10_000, `${lastBackMs}`);
  }
});

test('every scenario ends after its last change and in a whole second', () => {
  for (const name of SCENARIOS)
    for (const pods of [10, 100, 1_000]) {
      const { history, settledMs, endMs, eventMs } = scenarioOf(name, pods, 30);
      assert.ok(settledMs > (history.sets.at(-1)?.at ?? 0), name);
      assert.ok(endMs > settledMs && settledMs > eventMs, name);
      assert.ok(Number.isInteger(settledMs / 1_000) && Number.isInteger(endMs / 1_000), name);
    }
});

function cellOf(parts: Partial<FleetCell>): FleetCell {
  return {
    scenario: 'restart',
    client: 'adaptive',
    clients: 100,
    pods: 10,
    replicas: 2,
    cacheTtl: 0,
    calmMean: 20,
    calmWorst: 25,
    worst: 60,
    worstAnswered: 60,
    settledWorst: 25,
    lastBackMs: 1_000,
    ...parts,
  };
}

test('an outage in which a second has over 3 times the mean queries breaks the limit, unless the baseline made it', () => {
  assert.deepEqual(brokenLimits([cellOf({})]), []);
  assert.equal(brokenLimits([cellOf({ worst: 61 })]).length, 1);
  assert.deepEqual(brokenLimits([cellOf({ worst: 61, client: PLAIN })]), []);
  const { lastBackMs: _, ...rollout } = cellOf({ scenario: 'rollout', worst: 100 });
  assert.deepEqual(brokenLimits([rollout]), []);
});

test('the table of replicas takes the worst scenario without a cache, and never fewer than two replicas', () => {
  const cells = [
    cellOf({ worst: 100, scenario: 'loss', calmMean: 30 }),
    cellOf({ worst: 2_400, scenario: 'rollout' }),
    cellOf({ worst: 9_999, cacheTtl: 30 }),
  ];
  assert.deepEqual(sizingOf(cells, 1_000), [
    { clients: 100, client: 'adaptive', meanQps: 20, worstQps: 2_400, replicas: 3, worstShare: 0.8 },
  ]);
  assert.equal(sizingOf(cells, 1_000_000)[0]?.replicas, 2);
});
