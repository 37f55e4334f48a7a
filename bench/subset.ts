/**
 * Do clients with a subset of the pods each load the pods evenly, and what moves when a pod goes or comes? A simulation of
 * 1,000 clients and 300 pods by the library's own ranking. Beside it, subsets drawn at random, which no rule without
 * agreement between the clients can beat; and clients without a subset.
 *
 *     npm run bench:subset
 *
 * Ends with exit code 1 where the busiest pod of the median fleet has more than `MAX_UNEVENNESS` times the mean, or where a
 * change of one pod makes a client connect to more than one.
 */
import { subsetRanking } from '../lib/discovery/subset-ranking.js';
import { count, significant } from '../test/support/number-format.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { mean, quantile, sorted } from './harness/statistics.js';
import { formatTable } from './harness/table.js';

type Kind = 'every pod' | 'drawn at random' | 'balance.subset';

export interface SubsetCell {
  readonly kind: Kind;
  readonly size: number;
  /** Of all clients together. */
  readonly connections: number;
  /** Clients of the busiest pod over the mean: of the median fleet, and of the worst one. */
  readonly unevenness: number;
  readonly worst: number;
  /** Clients that connect to another pod when one goes, and the most pods that one of them connects to. */
  readonly movedByLoss: number;
  readonly mostByLoss: number;
  readonly movedByGain: number;
  readonly mostByGain: number;
}

const MAX_UNEVENNESS = 1.4;
const FLEETS: Record<Mode, number> = { short: 5, default: 25, full: 101 };
const SIZES = [10, 20, 50];

type Own = 'clients' | 'pods';
type Fleet = readonly ReadonlySet<string>[];

/** Pods in, each client's subset out. */
type Choose = (fleet: number, pods: readonly string[]) => Fleet;

export const subset: Benchmark<SubsetCell, Own> = {
  name: 'subset',
  flags: {
    clients: { default: 1_000, min: 10, max: 100_000, help: 'clients of one fleet' },
    pods: { default: 300, min: 60, max: 10_000, help: 'pods of the Service' },
  },
  plan: ({ mode }) => SIZES.map((size) => ({ name: stepOf(size), ms: FLEETS[mode] * 1_500 })),
  run,
  show,
};

function stepOf(size: number): string {
  return `subset: ${size} pods for each client`;
}

async function run({ options, progress, random }: Context<Own>): Promise<Outcome<SubsetCell>> {
  const recording = new Recording('subset', options);
  const { clients, pods: podCount } = options.own;
  const pods = Array.from({ length: podCount }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  const fleets = FLEETS[options.mode];
  const every = measure('every pod', podCount, fleets > 1 ? 1 : fleets, pods, (_, set) =>
    new Array<ReadonlySet<string>>(clients).fill(new Set(set)),
  );
  const cells = [every];
  for (const size of SIZES) {
    progress.begin(stepOf(size));
    const ranked: Choose = (fleet, set) => {
      const addresses = set.map((host) => ({ host, port: 50_051 }));
      return Array.from({ length: clients }, (_, client) => {
        const ranking = subsetRanking(`${options.seed}-${fleet}-${client}`, null)(addresses);
        return new Set(ranking.slice(0, size).map(({ host }) => host));
      });
    };
    const drawn: Choose = (_, set) => Array.from({ length: clients }, () => draw(set, size, random));
    cells.push(measure('drawn at random', size, fleets, pods, drawn));
    cells.push(measure('balance.subset', size, fleets, pods, ranked));
  }
  return { result: recording.finish({ clients, pods: podCount, fleets }, cells), broken: brokenLimits(cells) };
}

function measure(kind: Kind, size: number, fleets: number, pods: readonly string[], choose: Choose): SubsetCell {
  const unevenness: number[] = [];
  const losses: Moves[] = [];
  const gains: Moves[] = [];
  let connections = 0;
  for (let fleet = 0; fleet < fleets; fleet++) {
    const before = choose(fleet, pods);
    connections = before.reduce((sum, chosen) => sum + chosen.size, 0);
    unevenness.push(busiestOverMean(before, pods));
    // Chance differs between two drawings, so only those of rules can be compared.
    if (kind === 'drawn at random') continue;
    losses.push(movesBetween(before, choose(fleet, pods.slice(1))));
    gains.push(movesBetween(before, choose(fleet, [...pods, '10.200.0.1'])));
  }
  return {
    kind,
    size,
    connections,
    unevenness: quantile(sorted(unevenness), 0.5),
    worst: Math.max(...unevenness),
    movedByLoss: mean(losses.map(({ clients }) => clients)),
    mostByLoss: Math.max(0, ...losses.map(({ most }) => most)),
    movedByGain: mean(gains.map(({ clients }) => clients)),
    mostByGain: Math.max(0, ...gains.map(({ most }) => most)),
  };
}

function draw(set: readonly string[], size: number, random: () => number): ReadonlySet<string> {
  const drawn = new Set<string>();
  while (drawn.size < size) drawn.add(set[Math.floor(random() * set.length)] as string);
  return drawn;
}

function busiestOverMean(fleet: Fleet, pods: readonly string[]): number {
  const clients = new Map(pods.map((pod) => [pod, 0]));
  for (const chosen of fleet) for (const pod of chosen) clients.set(pod, (clients.get(pod) ?? 0) + 1);
  return Math.max(...clients.values()) / mean([...clients.values()]);
}

interface Moves {
  readonly clients: number;
  readonly most: number;
}

function movesBetween(before: Fleet, after: Fleet): Moves {
  const added = after.map((chosen, client) => [...chosen].filter((pod) => !before[client]?.has(pod)).length);
  return { clients: added.filter((pods) => pods > 0).length, most: Math.max(...added) };
}

function brokenLimits(cells: readonly SubsetCell[]): string[] {
  return cells
    .filter(({ kind }) => kind === 'balance.subset')
    .flatMap(({ size, unevenness, mostByLoss, mostByGain }) => [
      ...(size === 20 && unevenness > MAX_UNEVENNESS
        ? [`subsets of ${size}: the busiest pod has ${significant(unevenness)} times the mean, over ${MAX_UNEVENNESS}`]
        : []),
      ...(Math.max(mostByLoss, mostByGain) > 1 ? [`subsets of ${size}: one change moves several connections`] : []),
    ]);
}

function show({ cells }: Result<SubsetCell>): string {
  const orNone = (kind: Kind, value: number): string => (kind === 'drawn at random' ? '–' : count(Math.round(value)));
  return formatTable<SubsetCell>(
    [
      { head: 'pods for\na client', cell: ({ size }) => count(size) },
      { head: 'chosen', align: 'left', cell: ({ kind }) => kind },
      { head: 'connections\nin all', cell: ({ connections }) => count(connections) },
      { head: 'busiest pod / mean\nmedian fleet', cell: ({ unevenness }) => significant(unevenness) },
      { head: 'worst\nfleet', cell: ({ worst }) => significant(worst) },
      { head: 'a pod goes:\nclients that connect', cell: ({ kind, movedByLoss }) => orNone(kind, movedByLoss) },
      { head: 'most by\none client', cell: ({ kind, mostByLoss }) => orNone(kind, mostByLoss) },
      { head: 'a pod comes:\nclients that connect', cell: ({ kind, movedByGain }) => orNone(kind, movedByGain) },
      { head: 'most by\none client', cell: ({ kind, mostByGain }) => orNone(kind, mostByGain) },
    ],
    cells.flatMap((cell, index) => (index > 0 && cell.kind === 'drawn at random' ? [null, cell] : [cell])),
  );
}

await runIfMain(import.meta.url, subset);
