/** Waits on a clock, until a signal aborts. */
import type { Clock } from '../../runtime.js';

/** Rejects with the signal's reason. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return void reject(signal.reason);
    const abort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}
