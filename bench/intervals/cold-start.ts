/**
 * A client that starts before its Service has a pod: the cache denies the name, and goes on denying it when the record
 * is there. Measured is the time from the record's publication to the answer of the client's first call, which waits
 * for a connection. The trials of all rules run at the same time, each with a name of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TtlRule } from '../../lib/discovery/schedule.js';
import type { Random } from '../../lib/runtime.js';
import type { RpcProcess } from '../../test/support/rpc.js';
import { mean } from '../harness/statistics.js';
import type { ClientProgram, ColdCall } from './client-main.js';
import { machineMs } from './clock.js';
import type { ColdStartPlan } from './grid.js';
import type { Service } from './service.js';

export interface ColdStart {
  readonly rule: TtlRule;
  readonly trials: number;
  /** Of the calls that were answered. */
  readonly meanMs: number | null;
  readonly maxMs: number | null;
  /** Calls without an answer before their deadline. */
  readonly never: number;
  readonly goalMs: number | null;
  readonly withinGoal: number | null;
}

export const RULES: readonly TtlRule[] = ['phased', 'adaptive', 'ignore'];
/** In `minIntervalMs`. */
const GOAL = 4;
/** From the other client's query, which the denial answers, to the start of the client. */
const START_WITHIN_MS = 5_000;
/** From the client's start to the record. */
const RECORD_AFTER_MS = 500;
const RECORD_WITHIN_MS = 8_000;

interface Trial {
  readonly rule: TtlRule;
  readonly host: string;
  readonly startMs: number;
  readonly recordMs: number;
}

export async function measureColdStarts(
  child: RpcProcess<ClientProgram>,
  service: Service,
  { trials, cacheTtl, refresh }: ColdStartPlan,
  random: Random,
): Promise<ColdStart[]> {
  const plans = Array.from({ length: trials }, (_, trial) => {
    // The same moments for all rules.
    const startMs = random() * START_WITHIN_MS;
    const recordMs = startMs + RECORD_AFTER_MS + random() * (RECORD_WITHIN_MS - RECORD_AFTER_MS);
    return RULES.map(
      (rule): Trial => ({ rule, host: `cold-${trial}-${rule}.bench.svc.cluster.local`, startMs, recordMs }),
    );
  }).flat();
  const timeoutMs = RECORD_WITHIN_MS + 2_000 * cacheTtl + 10_000;
  const beganAt = machineMs();
  const calls = plans.map(
    ({ rule, host, startMs }): ColdCall => ({
      ...service.absent(host, cacheTtl),
      refresh: { ...refresh, ttl: rule },
      startAt: beganAt + startMs,
      timeoutMs,
    }),
  );
  const answered = child.call.coldCalls(calls);
  const recordAt = await Promise.all(
    plans.map(async ({ host, recordMs }) => {
      await sleep(Math.max(0, beganAt + recordMs - machineMs()));
      return service.appear(host, cacheTtl);
    }),
  );
  const answeredAt = await answered;
  return RULES.map((rule) => {
    const times = plans.flatMap((plan, index) => {
      const at = answeredAt[index];
      return plan.rule !== rule ? [] : [at === null || at === undefined ? null : at - (recordAt[index] ?? 0)];
    });
    const happened = times.filter((ms) => ms !== null);
    const goalMs = rule === 'phased' ? GOAL * refresh.minIntervalMs : null;
    return {
      rule,
      trials,
      meanMs: happened.length > 0 ? mean(happened) : null,
      maxMs: happened.length > 0 ? Math.max(...happened) : null,
      never: times.length - happened.length,
      goalMs,
      withinGoal: goalMs === null ? null : happened.filter((ms) => ms <= goalMs).length,
    };
  });
}
