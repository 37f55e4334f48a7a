/**
 * What do 100 to 10,000 client processes ask of the cluster's DNS, and how fast do they all get the news?
 *
 *     npm run bench:fleet                          100, 1,000 and 10,000 clients, in some minutes
 *     npm run bench:fleet -- --short               200 clients, in half a minute;  --full: every combination, some hours
 *     npm run bench:fleet -- --replica-qps 20000   for the table of DNS replicas
 *
 * A simulation: the library's own poller, schedule, membership and query runner on a virtual clock. Beside it, the same
 * for a plain poll. Ends with exit code 1 where an outage of DNS makes clients send more than `MAX_OUTAGE_RATIO` times the
 * usual queries in any second.
 */
import { seededRandom } from '../test/support/fake-random.js';
import { count } from '../test/support/number-format.js';
import { type FleetPlan, gridFor } from './fleet/grid.js';
import { brokenLimits, type FleetCell, showFleet } from './fleet/show.js';
import { simulateFleet } from './fleet/simulation.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import { Recording } from './harness/result.js';

type Own = 'replicaQps' | 'intervalMs';

/** Measured: of one client through one scenario. */
const SIMULATED_MS = 1.6;
/** Scenarios of which the curve of queries is kept, for the largest number of clients. */
const CURVES: readonly FleetPlan['scenario'][] = ['rollout', 'crash', 'restart'];

export const fleet: Benchmark<FleetCell, Own> = {
  name: 'fleet',
  flags: {
    // A third of the 33,669 that CoreDNS's guide "Scaling CoreDNS in Kubernetes Clusters" gives for one instance with
    // two CPUs at their limit and small answers: the rest is for other clients, larger answers and TCP.
    replicaQps: { default: 11_000, min: 1, max: 10_000_000, help: 'queries a second that one DNS replica may get' },
    intervalMs: { default: 5_000, min: 1_000, max: 600_000, help: 'refresh interval of all clients' },
  },

  plan(options) {
    const grid = gridFor(options.mode, options.own.intervalMs);
    return sizesOf(grid).map((clients) => ({
      name: stepOf(clients),
      ms: grid.filter((plan) => plan.clients === clients).length * clients * SIMULATED_MS,
    }));
  },

  run,

  show(result) {
    return showFleet(result.cells, Number(result.parameters['replicaQps']));
  },
};

async function run({ options, progress }: Context<Own>): Promise<Outcome<FleetCell>> {
  const recording = new Recording('fleet', options);
  const grid = gridFor(options.mode, options.own.intervalMs);
  const cells: FleetCell[] = [];
  for (const clients of sizesOf(grid)) {
    progress.begin(stepOf(clients));
    const plans = grid.filter((plan) => plan.clients === clients);
    for (const [index, plan] of plans.entries()) {
      progress.setNote(`${plan.scenario}, ${plan.kind.label}, ${index + 1} of ${plans.length}`);
      // Each from the same seed: a cell is the same in every grid.
      const figures = await simulateFleet(plan, seededRandom(options.seed));
      cells.push(cellOf(plan, figures, clients === sizesOf(grid).at(-1)));
    }
  }
  const { intervalMs, replicaQps } = options.own;
  return { result: recording.finish({ intervalMs, replicaQps }, cells), broken: brokenLimits(cells) };
}

function cellOf(
  { kind, ...plan }: FleetPlan,
  { queriesPerSecond, ...figures }: Awaited<ReturnType<typeof simulateFleet>>,
  largest: boolean,
): FleetCell {
  const curve = largest && plan.cacheTtl === 0 && CURVES.includes(plan.scenario) ? { queriesPerSecond } : {};
  return { ...plan, client: kind.label, ...figures, ...curve };
}

function sizesOf(grid: readonly FleetPlan[]): number[] {
  return [...new Set(grid.map(({ clients }) => clients))];
}

function stepOf(clients: number): string {
  return `fleet: ${count(clients)} clients`;
}

await runIfMain(import.meta.url, fleet);
