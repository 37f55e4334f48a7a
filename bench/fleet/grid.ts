/** Which simulations a run makes: numbers of clients and pods, caches, scenarios and clients. */
import type { RefreshSettings } from '../../lib/discovery/schedule.js';
import type { Mode } from '../harness/options.js';
import type { ClientKind } from './clients.js';
import { SCENARIOS, type ScenarioName } from './scenarios.js';

export interface FleetPlan {
  readonly scenario: ScenarioName;
  readonly kind: ClientKind;
  readonly clients: number;
  readonly pods: number;
  /** Of DNS, behind one address. */
  readonly replicas: number;
  /** Of each replica's cache, in seconds; 0 for none. */
  readonly cacheTtl: number;
}

interface Size {
  readonly clients: number;
  readonly pods: number;
  readonly scenarios: Readonly<Record<0 | 30, readonly ScenarioName[]>>;
}

export const PLAIN = 'plain poll';

const ALL: Size['scenarios'] = { 0: SCENARIOS, 30: SCENARIOS };
/** Ages of news without a cache do not depend on the number of clients, so the largest number is left to load. */
const LOAD: Size['scenarios'] = {
  0: ['start', 'rollout', 'scale-up', 'crash', 'restart', 'silence'],
  30: ['rollout', 'restart'],
};

const SIZES: Readonly<Record<Mode, readonly Size[]>> = {
  short: [{ clients: 200, pods: 100, scenarios: ALL }],
  default: [
    { clients: 100, pods: 10, scenarios: { 0: ['rollout', 'scale-up', 'crash', 'restart'], 30: [] } },
    { clients: 1_000, pods: 100, scenarios: ALL },
    { clients: 10_000, pods: 1_000, scenarios: LOAD },
  ],
  full: [100, 1_000, 10_000].flatMap((clients) => [10, 100, 1_000].map((pods) => ({ clients, pods, scenarios: ALL }))),
};

export function gridFor(mode: Mode, intervalMs: number): FleetPlan[] {
  return SIZES[mode].flatMap(({ clients, pods, scenarios }) =>
    ([0, 30] as const).flatMap((cacheTtl) =>
      scenarios[cacheTtl].flatMap((scenario) =>
        kindsFor(intervalMs).map((kind) => ({
          scenario,
          kind,
          clients,
          pods,
          replicas: Math.max(2, Math.round(clients / 1_000)),
          cacheTtl,
        })),
      ),
    ),
  );
}

/** The library's defaults but for the interval, and the baseline. */
function kindsFor(intervalMs: number): ClientKind[] {
  const refresh = { intervalMs, jitter: 0.1, minIntervalMs: 1_000, burstMs: 30_000 };
  const rules: readonly RefreshSettings['ttl'][] = ['phased', 'adaptive'];
  return [
    ...rules.map((ttl) => ({ label: ttl, refresh: { ...refresh, ttl } })),
    { label: PLAIN, refresh: { plain: true, intervalMs } },
  ];
}
