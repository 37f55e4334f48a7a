/** How long this process stood still at a stretch: what a busy machine adds to every time that is measured here. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const WINDOW_MS = 30_000;

export class Stalls {
  readonly #monitor = monitorEventLoopDelay({ resolution: 10 });
  #turnedAt = 0;
  #previousMs = 0;
  #longestMs = 0;

  start(): void {
    this.#monitor.enable();
    this.#turnedAt = performance.now();
  }

  /** To be called now and then: stalls of long ago excuse nothing. */
  turn(): void {
    this.#longestMs = this.longestMs;
    if (performance.now() - this.#turnedAt < WINDOW_MS) return;
    this.#turnedAt = performance.now();
    this.#previousMs = this.#currentMs;
    this.#monitor.reset();
  }

  /** Within this window and the one before. */
  get recentMs(): number {
    return Math.max(this.#previousMs, this.#currentMs);
  }

  get longestMs(): number {
    return Math.max(this.#longestMs, this.#currentMs);
  }

  get #currentMs(): number {
    return this.#monitor.max / 1e6;
  }
}
