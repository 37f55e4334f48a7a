/**
 * Slow start: an endpoint that joined a set in use gets a part of its share at first, and its whole share when the
 * window has passed. The weight is that of Envoy's slow start mode with an aggression of 1 and a least weight of 10 %,
 * max(10 %, age / window), without the one second that Envoy takes for the least age.
 */
import type { PickableEndpoint, PickerContext } from './policy.js';
import type { Rotation } from './rotation.js';

const LEAST_WEIGHT = 0.1;

interface Warming {
  readonly joinedAt: number;
  /** What its skipped turns have added up to; with 1 it takes a turn. */
  credit: number;
}

/** Made with a picker, from the slow start of the picker before it. */
export class SlowStart {
  readonly #windowMs: number;
  readonly #clock: PickerContext['clock'];
  readonly #warming: ReadonlyMap<PickableEndpoint, Warming>;
  /** When the heaviest of them joined, and when the last window ends. */
  readonly #firstJoinedAt: number;
  readonly #endsAt: number;
  /** Every endpoint is warming up: then the heaviest gets its whole share. */
  readonly #isRelative: boolean;

  /** @returns null where no endpoint is in its window. */
  static of(
    windowMs: number,
    endpoints: readonly PickableEndpoint[],
    previous: SlowStart | null,
    { clock, random }: Pick<PickerContext, 'clock' | 'random'>,
  ): SlowStart | null {
    if (windowMs === 0) return null;
    const now = clock.now();
    const warming = new Map<PickableEndpoint, Warming>();
    for (const endpoint of endpoints) {
      const { joinedAt } = endpoint;
      if (joinedAt === null || now - joinedAt >= windowMs) continue;
      // A random start, so that the clients of a Service do not send their first call to a new pod at the same time.
      warming.set(endpoint, previous?.get(endpoint) ?? { joinedAt, credit: random() });
    }
    return warming.size > 0 ? new SlowStart(windowMs, clock, warming, endpoints.length) : null;
  }

  private constructor(
    windowMs: number,
    clock: PickerContext['clock'],
    warming: ReadonlyMap<PickableEndpoint, Warming>,
    endpoints: number,
  ) {
    this.#windowMs = windowMs;
    this.#clock = clock;
    this.#warming = warming;
    const times = Array.from(warming.values(), ({ joinedAt }) => joinedAt).toSorted((one, other) => one - other);
    this.#firstJoinedAt = times[0] as number;
    this.#endsAt = (times.at(-1) as number) + windowMs;
    this.#isRelative = warming.size === endpoints;
  }

  /** What is kept for an endpoint in its window. */
  get(endpoint: PickableEndpoint): Warming | undefined {
    return this.#warming.get(endpoint);
  }

  /** False once every window has passed: the weights are all 1 from then on. */
  isActive(): boolean {
    return this.#clock.now() < this.#endsAt;
  }

  /** Of the share that the endpoint has without slow start, from 0.1 to 1. */
  weight(endpoint: PickableEndpoint): number {
    const warming = this.#warming.get(endpoint);
    if (!warming) return 1;
    const now = this.#clock.now();
    const weight = this.#weightAt(now, warming.joinedAt);
    return this.#isRelative ? weight / this.#weightAt(now, this.#firstJoinedAt) : weight;
  }

  /** The place whose turn it is. Those that are warming up let a part of their turns pass. */
  next(rotation: Rotation): number {
    const { endpoints } = rotation;
    let place = rotation.next();
    // By their weights the heaviest takes each of its turns, so a whole rotation is never skipped but by rounding.
    for (let skipped = 0; skipped < endpoints.length; skipped++) {
      if (this.#takesTurn(endpoints[place] as PickableEndpoint)) break;
      place = rotation.next();
    }
    return place;
  }

  #takesTurn(endpoint: PickableEndpoint): boolean {
    const warming = this.#warming.get(endpoint);
    if (!warming) return true;
    warming.credit += this.weight(endpoint);
    if (warming.credit < 1) return false;
    warming.credit -= 1;
    return true;
  }

  #weightAt(now: number, joinedAt: number): number {
    return Math.min(1, Math.max(LEAST_WEIGHT, (now - joinedAt) / this.#windowMs));
  }
}
