/** What happens to a Service, its DNS and its clients in one simulation. */
import type { Outage } from './dns-service.js';
import { PodHistory, type PodSet } from './pod-history.js';

export type ScenarioName =
  | 'start'
  | 'changes'
  | 'rollout'
  | 'scale-up'
  | 'crash'
  | 'restart'
  | 'silence'
  | 'lag'
  | 'loss';

export const DESCRIPTIONS: Readonly<Record<ScenarioName, string>> = {
  start: 'all clients start within one second',
  changes: 'one pod is replaced every 40 s',
  rollout: 'a rolling update of all pods in 60 s',
  'scale-up': 'a scale-up to 100 times the pods in 90 s',
  crash: 'one pod crashes, and DNS has it 2 s later',
  restart: 'DNS refuses all queries for 10 s',
  silence: 'DNS answers no query for 10 s',
  lag: 'one pod is replaced every 40 s, and one DNS replica has it 5 s later',
  loss: 'one pod is replaced every 40 s, and 5 % of all packets are lost',
};

export const SCENARIOS = Object.keys(DESCRIPTIONS) as readonly ScenarioName[];

export interface Scenario {
  readonly history: PodHistory;
  /** The clients start at random moments of so many milliseconds from the beginning. */
  readonly spreadMs: number;
  /** From when to when nothing happens: the mean rate of queries is measured here. This and all ends are whole seconds. */
  readonly calm: readonly [fromMs: number, toMs: number];
  /** From here on the worst second is looked for. */
  readonly eventMs: number;
  /** Nothing happens and no burst lasts any longer. */
  readonly settledMs: number;
  readonly endMs: number;
  /** When the connections to pods of an earlier set than this version are lost. */
  readonly losses: readonly { readonly atMs: number; readonly version: number }[];
  readonly outage: { readonly kind: Outage; readonly fromMs: number; readonly toMs: number } | null;
  readonly lagMs: number;
  readonly loss: number;
}

const SECOND = 1_000;
const SPREAD = 30 * SECOND;
const CALM_FROM = 60 * SECOND;
const EVENT = 90 * SECOND;
/** The longest burst, and some seconds until the last client knows. */
const BURST = 40 * SECOND;
const SETTLED = 40 * SECOND;
/** From a removed pod's leaving DNS until it closes its connections, as a `preStop` hook of 5 s makes it. */
const CLOSING = 5 * SECOND;

export function scenarioOf(name: ScenarioName, pods: number, cacheTtl: number): Scenario {
  // Behind a cache news may come a TTL later.
  const quietMs = BURST + cacheTtl * SECOND;
  const build = (sets: readonly PodSet[], parts: Partial<Scenario> = {}): Scenario => {
    const settledMs = parts.settledMs ?? Math.ceil((sets.at(-1)?.at ?? EVENT) / SECOND) * SECOND + quietMs;
    return {
      history: new PodHistory([{ at: 0, pods: sets[0]?.pods ?? pods }, ...sets.slice(1)]),
      spreadMs: SPREAD,
      calm: [CALM_FROM, EVENT],
      eventMs: EVENT,
      settledMs,
      endMs: settledMs + SETTLED,
      losses: sets.slice(1).map(({ at }, index) => ({ atMs: at + CLOSING, version: index + 1 })),
      outage: null,
      lagMs: 0,
      loss: 0,
      ...parts,
    };
  };
  const before: PodSet = { at: 0, pods };
  const single = [before, ...evenly(3, 40 * SECOND, () => pods)];
  switch (name) {
    case 'start':
      return build([before], {
        spreadMs: SECOND,
        calm: [CALM_FROM, 3 * CALM_FROM],
        eventMs: 10 * SECOND,
        settledMs: 2 * CALM_FROM,
        endMs: 3 * CALM_FROM,
      });
    case 'changes':
      return build(single);
    case 'rollout': {
      const steps = Math.min(pods, 20);
      return build([before, ...evenly(steps, (60 * SECOND) / steps, () => pods)]);
    }
    case 'scale-up': {
      const first = Math.max(1, Math.round(pods / 100));
      // Exponential, as autoscalers do it; each step brings at least one pod.
      const sizes = Array.from({ length: 30 }, (_, step) => Math.round(first * (pods / first) ** ((step + 1) / 30)));
      const growing = sizes.filter((size, step) => size > (sizes[step - 1] ?? first));
      const gapMs = (90 * SECOND) / growing.length;
      const sets = evenly(growing.length, gapMs, (step) => growing[step] ?? pods);
      return build([{ at: 0, pods: first }, ...sets], { losses: [] });
    }
    case 'crash':
      return build([before, { at: EVENT + 2 * SECOND, pods }], { losses: [{ atMs: EVENT, version: 1 }] });
    case 'restart':
    case 'silence': {
      const outageEnd = EVENT + 10 * SECOND;
      const kind = name === 'restart' ? 'refused' : 'silent';
      return build([before], { outage: { kind, fromMs: EVENT, toMs: outageEnd }, settledMs: outageEnd + quietMs });
    }
    case 'lag':
      return build(single, { lagMs: 5 * SECOND });
    case 'loss':
      return build(single, { loss: 0.05 });
  }
}

/** Sets from the event on, `gapMs` apart. */
function evenly(count: number, gapMs: number, pods: (step: number) => number): PodSet[] {
  return Array.from({ length: count }, (_, step) => ({ at: EVENT + step * gapMs, pods: pods(step) }));
}
