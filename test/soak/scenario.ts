/**
 * What happens to the pods and to DNS, and when: drawn from a seed before anything starts, so that the same seed gives
 * the same scenario. Pure. Pods are numbered in the order of their start.
 */
import type { Random } from '../../lib/runtime.js';
import { seededRandom } from '../support/fake-random.js';

export type Outage = 'SERVFAIL' | 'REFUSED' | 'NXDOMAIN' | 'timeout' | 'malformed';

export type Happening =
  /** A new pod, and its record. */
  | { readonly kind: 'come'; readonly pod: number }
  /** Leaves DNS, serves on until clients have applied that, sends GOAWAY and finishes its calls. */
  | { readonly kind: 'go'; readonly pod: number }
  /** RST on all its connections. Its record stays in DNS for `noticedMs`. */
  | { readonly kind: 'kill'; readonly pod: number; readonly noticedMs: number }
  /** Killed, and started again at the same address. */
  | { readonly kind: 'restart'; readonly pod: number; readonly noticedMs: number; readonly downMs: number }
  /** Unary calls are not answered. */
  | { readonly kind: 'hang'; readonly pod: number; readonly forMs: number }
  | { readonly kind: 'slow'; readonly pod: number; readonly forMs: number; readonly delayMs: number }
  | { readonly kind: 'outage'; readonly failure: Outage; readonly forMs: number };

export type ScenarioEvent = Happening & { readonly atMs: number };

export interface Scenario {
  /** Pods 0 to `pods - 1` run from the start. */
  readonly pods: number;
  readonly events: readonly ScenarioEvent[];
}

export interface ScenarioSettings {
  readonly seed: number;
  readonly durationMs: number;
  /** Pods in DNS, at most and at least. */
  readonly maxPods: number;
  readonly minPods: number;
  /** How long a pod serves on after it left DNS. */
  readonly graceMs: number;
}

/** Between two events; some are bursts of several. */
const GAP_MS = [200, 1_200] as const;
/** No event lasts longer, and none begins so shortly before the end of the run. */
export const LONGEST_EVENT_MS = 6_000;
/** The share of the pods that may be faulty at a time: the others must be able to carry the load. */
const FAULTY_SHARE = 0.3;

const WEIGHTS: Readonly<Record<Happening['kind'], number>> = {
  come: 24,
  go: 14,
  kill: 9,
  restart: 12,
  hang: 12,
  slow: 10,
  outage: 7,
};
/** A scale-up or a scale-down moves several pods at once. */
const BURST_CHANCE = 0.2;
const BURST = 8;

const OUTAGES: readonly Outage[] = ['SERVFAIL', 'REFUSED', 'NXDOMAIN', 'timeout', 'malformed'];

export function drawScenario(settings: ScenarioSettings): Scenario {
  return new ScenarioBuilder(settings).build();
}

class ScenarioBuilder {
  readonly #settings: ScenarioSettings;
  readonly #random: Random;
  readonly #events: ScenarioEvent[] = [];
  /** In DNS and not faulty. */
  readonly #healthy: number[] = [];
  /** Faulty, and until when: no other event may happen to such a pod. */
  readonly #faulty = new Map<number, number>();
  #lastPod = -1;
  #outageUntil = 0;
  #now = 0;

  constructor(settings: ScenarioSettings) {
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
  }

  build(): Scenario {
    const { minPods, maxPods, durationMs } = this.#settings;
    const pods = Math.round((minPods + maxPods) / 2);
    while (this.#lastPod < pods - 1) this.#healthy.push(++this.#lastPod);
    for (;;) {
      this.#now += this.#between(...GAP_MS);
      if (this.#now > durationMs - LONGEST_EVENT_MS) return { pods, events: this.#events };
      this.#recover();
      this.#draw();
    }
  }

  get #population(): number {
    return this.#healthy.length + this.#faulty.size;
  }

  #draw(): void {
    const kinds = (Object.keys(WEIGHTS) as Happening['kind'][]).filter((kind) => this.#may(kind));
    let left = this.#random() * kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
    const kind = kinds.find((candidate) => {
      left -= WEIGHTS[candidate];
      return left < 0;
    });
    if (kind === undefined) return;
    const isBurst = (kind === 'come' || kind === 'go') && this.#random() < BURST_CHANCE;
    for (let times = isBurst ? this.#whole(2, BURST) : 1; times > 0 && this.#may(kind); times--) this.#happen(kind);
  }

  #may(kind: Happening['kind']): boolean {
    const { minPods, maxPods } = this.#settings;
    const failureAllowed = this.#faulty.size < Math.floor(this.#population * FAULTY_SHARE) && this.#healthy.length > 0;
    switch (kind) {
      case 'come':
        return this.#population < maxPods;
      case 'go':
        return this.#population > minPods && this.#healthy.length > 0;
      case 'kill':
        return this.#population > minPods && failureAllowed;
      case 'outage':
        return this.#now >= this.#outageUntil;
      default:
        return failureAllowed;
    }
  }

  #happen(kind: Happening['kind']): void {
    const { graceMs } = this.#settings;
    const atMs = this.#now;
    switch (kind) {
      case 'come':
        this.#healthy.push(++this.#lastPod);
        this.#events.push({ atMs, kind, pod: this.#lastPod });
        break;
      case 'go':
        this.#events.push({ atMs, kind, pod: this.#take() });
        break;
      case 'kill':
        this.#events.push({ atMs, kind, pod: this.#take(), noticedMs: this.#between(0, 2_000) });
        break;
      case 'restart': {
        const downMs = this.#between(300, 4_000);
        const pod = this.#fail(downMs);
        // After a fast restart the record is never removed.
        this.#events.push({ atMs, kind, pod, downMs, noticedMs: this.#between(0, 2_000) });
        break;
      }
      case 'hang': {
        const forMs = this.#between(500, 5_000);
        this.#events.push({ atMs, kind, pod: this.#fail(forMs), forMs });
        break;
      }
      case 'slow': {
        const forMs = this.#between(500, 5_000);
        this.#events.push({ atMs, kind, pod: this.#fail(forMs), forMs, delayMs: this.#whole(50, 400) });
        break;
      }
      case 'outage': {
        const forMs = this.#between(500, 5_000);
        this.#events.push({ atMs, kind, forMs, failure: OUTAGES[this.#whole(0, OUTAGES.length - 1)] as Outage });
        // Without time to recover, clients would never notice that pods left.
        this.#outageUntil = atMs + forMs + 2 * graceMs;
        break;
      }
    }
  }

  #take(): number {
    return this.#healthy.splice(this.#whole(0, this.#healthy.length - 1), 1)[0] as number;
  }

  #fail(forMs: number): number {
    const pod = this.#take();
    // Some time is added, since commands to another process may delay the recovery.
    this.#faulty.set(pod, this.#now + forMs + 1_500);
    return pod;
  }

  #recover(): void {
    for (const [pod, until] of this.#faulty)
      if (until <= this.#now) {
        this.#faulty.delete(pod);
        this.#healthy.push(pod);
      }
  }

  #between(min: number, max: number): number {
    return Math.round(min + this.#random() * (max - min));
  }

  #whole(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1));
  }
}
