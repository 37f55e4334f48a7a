/** What a busy machine adds to every time that the soak measures: delays of this process's event loop, and their cause. */
import { existsSync, readFileSync } from 'node:fs';
import { EventLoopDelay } from '../support/event-loop-delay.js';

const SCHEDSTAT = '/proc/self/schedstat';
const WINDOW_MS = 30_000;
/** Of a window, spent ready to run and without a CPU. Pods are processes like this one, and lack CPU as much. */
const STARVED_SHARE = 0.3;

export class Stalls {
  readonly #delay = new EventLoopDelay();
  #windowStartedAt = 0;
  #waitedBefore = 0;
  #previous = { stallMs: 0, starved: false };
  #longestMs = 0;

  start(): void {
    this.#windowStartedAt = performance.now();
    this.#waitedBefore = waitedMs();
    this.#delay.start();
  }

  /** To be called now and then: begins a new window when the current one is over. */
  turn(): void {
    this.#longestMs = this.longestMs;
    if (performance.now() - this.#windowStartedAt < WINDOW_MS) return;
    this.#previous = { stallMs: this.#delay.maxMs, starved: this.#starved };
    this.start();
  }

  /** Within this window and the one before. */
  get recentMs(): number {
    return Math.max(this.#previous.stallMs, this.#delay.maxMs);
  }

  get longestMs(): number {
    return Math.max(this.#longestMs, this.#delay.maxMs);
  }

  /** In this window or the one before, other programs had the CPU for much of the time that this process needed it. */
  get starved(): boolean {
    return this.#previous.starved || this.#starved;
  }

  get #starved(): boolean {
    // Right after a window's start, a share of the time passed would say nothing.
    const passedMs = Math.max(performance.now() - this.#windowStartedAt, WINDOW_MS / 10);
    return (waitedMs() - this.#waitedBefore) / passedMs >= STARVED_SHARE;
  }
}

/** Time that the main thread was ready to run and did not, as Linux counts it; 0 on systems that do not. */
function waitedMs(): number {
  if (!existsSync(SCHEDSTAT)) return 0;
  const [, waitedNs] = readFileSync(SCHEDSTAT, 'utf8').split(' ');
  return Number(waitedNs) / 1e6;
}
