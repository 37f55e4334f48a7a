/**
 * Time, randomness and event-loop turns, as parameters. Nothing below the factories reads a clock, rolls a die or
 * sets a timer in any other way, so that every rule here can be tested in milliseconds on a fake.
 */

/** A timer that was set; `cancel` is idempotent and safe after it fired. */
export interface Timer {
  cancel(): void;
}

/** Node's timers end at 2^31 - 1 ms, some 25 days; with a longer delay they would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Monotonic time and timers. Timers never keep the process alive. */
export interface Clock {
  /** Milliseconds from an arbitrary origin; never goes back, whatever happens to the wall clock. */
  now(): number;
  /** Milliseconds since the Unix epoch. For people to read, and for grpc-js's deadlines; it may jump. */
  wallTime(): number;
  /** Calls `callback` once, no sooner than `delayMs` from now. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` in the next turn of the event loop, when the I/O of this one has been seen to. */
  setTurn(callback: () => void): Timer;
}

/** A random number in [0, 1). */
export type Random = () => number;

/** Numbers the turns of the event loop: calls started in one turn share their socket writes. */
export interface Turns {
  /** The same number throughout one turn, another one in every later turn. */
  current(): number;
}

/** What the factories hand down. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly turns: Turns;
}

const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  setTurn(callback) {
    const handle = setImmediate(callback);
    handle.unref();
    return { cancel: () => clearImmediate(handle) };
  },
};

/** Costs one immediate in a turn that asks, nothing in a turn that does not. */
function createSystemTurns(): Turns {
  let turn = 0;
  let counting = false;
  const next = (): void => {
    turn = (turn + 1) | 0;
    counting = false;
  };
  return {
    current() {
      if (!counting) {
        counting = true;
        // Unref'd: a client at rest must not hold the process open.
        setImmediate(next).unref();
      }
      return turn;
    },
  };
}

/** The same promise. Until it is settled the process does not end by itself: Node ends it else, though someone awaits it. */
export async function keepingProcessAlive<T>(promise: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, MAX_TIMER_MS);
  try {
    return await promise;
  } finally {
    clearInterval(hold);
  }
}

/** Settles as the promise does, or rejects with the signal's reason as soon as it aborts: work that knows no signal may never settle. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

export const systemRuntime: Runtime = {
  clock: systemClock,
  random: Math.random,
  turns: createSystemTurns(),
};
