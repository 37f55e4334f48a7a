/** One clock for all processes of this machine: CLOCK_MONOTONIC, which `performance.now()` shows from its own origin. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Turns this process's `performance.now()` into `machineMs()`. */
export const performanceOffsetMs = machineMs() - performance.now();

/** Turns this process's `Date.now()` into `machineMs()`; wrong by as much as the wall clock is set meanwhile. */
export function wallOffsetMs(): number {
  return machineMs() - Date.now();
}
