/** The fault of one pod of four, and when it has it. Pods work on one call at a time, as a CPU does. */
import { status } from '@grpc/grpc-js';
import type { Random } from '../../lib/runtime.js';
import type { PodProcess } from '../../test/support/pods-in-processes.js';
import { WARM_UP_MS } from '../overhead/baselines.js';

/** Of an ordinary call on an ordinary pod. */
export const SERVICE_MS = 8;
export const SLOWNESS = 10;
export const HANG_MS = 2_000;
/** Calls begin before and after it, so that the recovery shows. */
const HANG_FROM_MS = 1_000;
/** One call in so many is `LARGE_KIB` large, and takes longer for it. */
const LARGE_EVERY = 20;
const LARGE_KIB = 12;

/** Quiet streams on the first pod. */
export const STREAMS = 3;
/** A pod that warms up is so many times slower at first. Its service time falls geometrically. */
const COLDNESS = 10;
const WARM_UP_STEP_MS = 100;

export const SCENARIOS = ['slow', 'hang', 'uneven', 'failing', 'streams', 'cold'] as const;

export type Scenario = (typeof SCENARIOS)[number];

export const DESCRIPTIONS: Record<Scenario, string> = {
  slow: `one pod of four is ${SLOWNESS} times slower`,
  hang: `one pod of four hangs for ${HANG_MS / 1000} s`,
  uneven: `one call in ${LARGE_EVERY} takes ${LARGE_KIB + 1} times as long`,
  failing: 'one pod of four fails every call at once',
  streams: `${STREAMS} quiet streams on one pod of four`,
  cold: `a fourth pod joins, ${COLDNESS} times slower at first, and warms up in ${WARM_UP_MS / 1000} s`,
};

export interface RunningScenario {
  /** The text of the next call. */
  message(random: Random): string;
  /** Puts the pods back as they were. */
  end(): Promise<void>;
}

/** Starts a scenario; the faulty pod is the first one. */
export async function begin(scenario: Scenario, pods: readonly PodProcess[]): Promise<RunningScenario> {
  const [victim] = pods;
  if (!victim) throw new Error('a scenario needs a pod');
  for (const pod of pods) await pod.behave({ delayMs: SERVICE_MS, workers: 1, delayPerKiBMs: 0, failWith: null });
  switch (scenario) {
    case 'slow':
      await victim.behave({ delayMs: SERVICE_MS * SLOWNESS });
      return { message: () => 'hi', end: () => victim.behave({ delayMs: SERVICE_MS }) };
    case 'hang': {
      const timers = [
        setTimeout(() => victim.pause(), HANG_FROM_MS),
        setTimeout(() => victim.resume(), HANG_FROM_MS + HANG_MS),
      ];
      return {
        message: () => 'hi',
        async end() {
          for (const timer of timers) clearTimeout(timer);
          victim.resume();
        },
      };
    }
    case 'failing':
      await victim.behave({ delayMs: 0, workers: 0, failWith: status.UNAVAILABLE });
      return { message: () => 'hi', end: () => victim.behave({ failWith: null }) };
    case 'streams':
      return { message: () => 'hi', async end() {} };
    case 'cold': {
      const startedAt = performance.now();
      const warm = (): void => {
        const rest = Math.max(0, 1 - (performance.now() - startedAt) / WARM_UP_MS);
        void victim.behave({ delayMs: SERVICE_MS * COLDNESS ** rest });
      };
      warm();
      const timer = setInterval(warm, WARM_UP_STEP_MS);
      return {
        message: () => 'hi',
        async end() {
          clearInterval(timer);
          await victim.behave({ delayMs: SERVICE_MS });
        },
      };
    }
    case 'uneven':
      for (const pod of pods) await pod.behave({ delayPerKiBMs: SERVICE_MS });
      return {
        message: (random) => (random() < 1 / LARGE_EVERY ? 'x'.repeat(LARGE_KIB * 1024) : 'hi'),
        async end() {},
      };
  }
}
