/**
 * When pods come and go: open loop, decided beforehand by the dice alone, so that no client's timing has a say in it.
 * The same plan drives real pods and the simulation. A pod has one life: an address never returns.
 */
import type { Random } from '../../lib/runtime.js';

export interface ScaleEvent {
  readonly atMs: number;
  readonly kind: 'add' | 'remove';
  /** Its number; the first `pods` are there from the start. */
  readonly pod: number;
}

export type ScalePlan =
  | {
      /** One pod comes, one goes, in turn, at gaps of 0.3 to 1.7 times the mean. */
      readonly kind: 'steady';
      readonly pods: number;
      readonly gapMs: number;
      readonly durationMs: number;
    }
  | {
      /** As an autoscaler acts: some pods come within seconds; long after, as many go; and so on. */
      readonly kind: 'waves';
      readonly pods: number;
      readonly size: number;
      readonly gapMs: number;
      readonly restMs: number;
      readonly durationMs: number;
    };

export function scaleEvents(plan: ScalePlan, random: Random): ScaleEvent[] {
  const events: ScaleEvent[] = [];
  const serving = Array.from({ length: plan.pods }, (_, index) => index);
  let next = plan.pods;
  const spread = (meanMs: number, share: number): number => meanMs * (1 + share * (2 * random() - 1));
  const happen = (atMs: number, kind: ScaleEvent['kind']): void => {
    // The oldest goes: no pod then leaves before the slowest client can have heard of it.
    const pod = kind === 'add' ? next++ : (serving.shift() as number);
    if (kind === 'add') serving.push(pod);
    events.push({ atMs, kind, pod });
  };
  if (plan.kind === 'steady') {
    let kind: ScaleEvent['kind'] = 'add';
    for (let atMs = spread(plan.gapMs, 0.7); atMs < plan.durationMs; atMs += spread(plan.gapMs, 0.7)) {
      happen(atMs, kind);
      kind = kind === 'add' ? 'remove' : 'add';
    }
    return events;
  }
  let kind: ScaleEvent['kind'] = 'add';
  for (let startMs = random() * plan.restMs; startMs < plan.durationMs; startMs += spread(plan.restMs, 0.25)) {
    let atMs = startMs;
    for (let count = 0; count < plan.size && atMs < plan.durationMs; count++) {
      happen(atMs, kind);
      atMs += spread(plan.gapMs, 0.5);
    }
    kind = kind === 'add' ? 'remove' : 'add';
  }
  return events;
}

/** How many pods ever are. */
export function podsIn(plan: ScalePlan, events: readonly ScaleEvent[]): number {
  return plan.pods + events.filter((event) => event.kind === 'add').length;
}
