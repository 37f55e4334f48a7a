/**
 * What happens to the pods and to DNS, and when: drawn from a seed before anything starts, so that the same seed is the
 * same story. Pure. Pods are numbered in the order in which they come.
 */
import type { Random } from '../../lib/runtime.js';
import { seededRandom } from '../support/fake-random.js';

export type Outage = 'SERVFAIL' | 'REFUSED' | 'NXDOMAIN' | 'timeout' | 'malformed';

export type Happening =
  /** A new pod, and its record. */
  | { readonly kind: 'come'; readonly pod: number }
  /** Leaves DNS, serves on until it may be taken to be forgotten, says GOAWAY and ends its calls. */
  | { readonly kind: 'go'; readonly pod: number }
  /** RST on all its connections. DNS names it for a while yet. */
  | { readonly kind: 'kill'; readonly pod: number; readonly noticedMs: number }
  /** Killed, and back under the same address. */
  | { readonly kind: 'restart'; readonly pod: number; readonly noticedMs: number; readonly downMs: number }
  /** Unary calls are not answered. */
  | { readonly kind: 'hang'; readonly pod: number; readonly forMs: number }
  | { readonly kind: 'slow'; readonly pod: number; readonly forMs: number; readonly delayMs: number }
  | { readonly kind: 'outage'; readonly failure: Outage; readonly forMs: number };

export type ScenarioEvent = Happening & { readonly atMs: number };

export interface Scenario {
  /** Pods 0 to `pods - 1` are there from the start. */
  readonly pods: number;
  readonly events: readonly ScenarioEvent[];
}

export interface ScenarioSettings {
  readonly seed: number;
  readonly durationMs: number;
  /** Pods in DNS, at most and at least. */
  readonly maxPods: number;
  readonly minPods: number;
  /** How long a pod that goes takes to be gone. */
  readonly graceMs: number;
}

/** Between two events; some are bursts of several. */
const GAP_MS = [200, 1_200] as const;
/** The end of the run is left to what is under way: no event lasts longer. */
export const LONGEST_EVENT_MS = 6_000;
/** Of the pods, so many may be in trouble at a time: whoever is left must be able to carry the load. */
const TROUBLED_SHARE = 0.3;

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
  return new Author(settings).write();
}

class Author {
  readonly #settings: ScenarioSettings;
  readonly #random: Random;
  readonly #events: ScenarioEvent[] = [];
  /** In DNS and in no trouble. */
  readonly #calm: number[] = [];
  /** In DNS or soon again, but not to be touched until then. */
  readonly #troubled = new Map<number, number>();
  #lastPod = -1;
  #outageUntil = 0;
  #now = 0;

  constructor(settings: ScenarioSettings) {
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
  }

  write(): Scenario {
    const { minPods, maxPods, durationMs } = this.#settings;
    const pods = Math.round((minPods + maxPods) / 2);
    while (this.#lastPod < pods - 1) this.#calm.push(++this.#lastPod);
    for (;;) {
      this.#now += this.#between(...GAP_MS);
      if (this.#now > durationMs - LONGEST_EVENT_MS) return { pods, events: this.#events };
      this.#recover();
      this.#draw();
    }
  }

  get #population(): number {
    return this.#calm.length + this.#troubled.size;
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
    const troubleAllowed = this.#troubled.size < Math.floor(this.#population * TROUBLED_SHARE) && this.#calm.length > 0;
    switch (kind) {
      case 'come':
        return this.#population < maxPods;
      case 'go':
        return this.#population > minPods && this.#calm.length > 0;
      case 'kill':
        return this.#population > minPods && troubleAllowed;
      case 'outage':
        return this.#now >= this.#outageUntil;
      default:
        return troubleAllowed;
    }
  }

  #happen(kind: Happening['kind']): void {
    const { graceMs } = this.#settings;
    const atMs = this.#now;
    switch (kind) {
      case 'come':
        this.#calm.push(++this.#lastPod);
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
        const pod = this.#trouble(downMs);
        // A fast restart is not noticed: the record stays.
        this.#events.push({ atMs, kind, pod, downMs, noticedMs: this.#between(0, 2_000) });
        break;
      }
      case 'hang': {
        const forMs = this.#between(500, 5_000);
        this.#events.push({ atMs, kind, pod: this.#trouble(forMs), forMs });
        break;
      }
      case 'slow': {
        const forMs = this.#between(500, 5_000);
        this.#events.push({ atMs, kind, pod: this.#trouble(forMs), forMs, delayMs: this.#whole(50, 400) });
        break;
      }
      case 'outage': {
        const forMs = this.#between(500, 5_000);
        this.#events.push({ atMs, kind, forMs, failure: OUTAGES[this.#whole(0, OUTAGES.length - 1)] as Outage });
        // Time to recover, or else pods that go would never be missed.
        this.#outageUntil = atMs + forMs + 2 * graceMs;
        break;
      }
    }
  }

  #take(): number {
    return this.#calm.splice(this.#whole(0, this.#calm.length - 1), 1)[0] as number;
  }

  #trouble(forMs: number): number {
    const pod = this.#take();
    // Not touched again at the very moment of its recovery, which orders to another process may delay.
    this.#troubled.set(pod, this.#now + forMs + 1_500);
    return pod;
  }

  #recover(): void {
    for (const [pod, until] of this.#troubled)
      if (until <= this.#now) {
        this.#troubled.delete(pod);
        this.#calm.push(pod);
      }
  }

  #between(min: number, max: number): number {
    return Math.round(min + this.#random() * (max - min));
  }

  #whole(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1));
  }
}
