/**
 * The baseline: a client that asks DNS at a fixed interval, counted from its start, as a few lines around `setInterval`
 * and a resolver would. No jitter, no bursts, no backoff, no attention to TTLs or to lost connections. A failure leaves
 * the set as it is.
 */
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import type { Clock } from '../../lib/runtime.js';

export class PlainPoller {
  readonly #resolver: NameResolver;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #answered: (addresses: readonly string[]) => void;
  #asking = false;

  constructor(
    resolver: NameResolver,
    intervalMs: number,
    clock: Clock,
    answered: (addresses: readonly string[]) => void,
  ) {
    this.#resolver = resolver;
    this.#intervalMs = intervalMs;
    this.#clock = clock;
    this.#answered = answered;
  }

  start(): void {
    this.#clock.setTimer(this.#intervalMs, () => this.start());
    if (!this.#asking) void this.#ask();
  }

  connectionLost(): void {}

  async #ask(): Promise<void> {
    this.#asking = true;
    const { outcomes } = await this.#resolver.resolve(new AbortController().signal);
    this.#asking = false;
    const addresses = [...outcomes.values()].flatMap((outcome) =>
      outcome.kind === 'addresses' ? outcome.addresses : [],
    );
    if (addresses.length > 0) this.#answered(addresses);
  }
}
