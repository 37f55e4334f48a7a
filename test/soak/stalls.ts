/** What a busy machine adds to every time that is measured here: how long this process stood still, and why. */
import { existsSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const SCHEDSTAT = '/proc/self/schedstat';
const WINDOW_MS = 30_000;
/** Of a window, spent ready to run and without a CPU. Pods are processes like this one, and fare no better. */
const STARVED_SHARE = 0.3;

export class Stalls {
  readonly #monitor = monitorEventLoopDelay({ resolution: 10 });
  #turnedAt = 0;
  #waitedBefore = 0;
  #previous = { stallMs: 0, starved: false };
  #longestMs = 0;

  start(): void {
    this.#monitor.enable();
    this.#begin();
  }

  /** To be called now and then: stalls of long ago excuse nothing. */
  turn(): void {
    this.#longestMs = this.longestMs;
    if (performance.now() - this.#turnedAt < WINDOW_MS) return;
    this.#previous = { stallMs: this.#stallMs, starved: this.#starved };
    this.#begin();
  }

  /** Within this window and the one before. */
  get recentMs(): number {
    return Math.max(this.#previous.stallMs, this.#stallMs);
  }

  get longestMs(): number {
    return Math.max(this.#longestMs, this.#stallMs);
  }

  /** Now or in the window before, others had the CPU when it was this process's turn. That is no work of the client's. */
  get starved(): boolean {
    return this.#previous.starved || this.#starved;
  }

  #begin(): void {
    this.#turnedAt = performance.now();
    this.#waitedBefore = waitedMs();
    this.#monitor.reset();
  }

  get #stallMs(): number {
    return this.#monitor.max / 1e6;
  }

  get #starved(): boolean {
    // A share of a moment says nothing.
    const passedMs = Math.max(performance.now() - this.#turnedAt, WINDOW_MS / 10);
    return (waitedMs() - this.#waitedBefore) / passedMs >= STARVED_SHARE;
  }
}

/** Time that the main thread was ready to run and did not, by the kernel's account; 0 where it keeps none: Linux does. */
function waitedMs(): number {
  if (!existsSync(SCHEDSTAT)) return 0;
  const [, waitedNs] = readFileSync(SCHEDSTAT, 'utf8').split(' ');
  return Number(waitedNs) / 1e6;
}
