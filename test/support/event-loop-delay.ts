/** How long the event loop was held up by work of this process. */
import { PerformanceObserver } from 'node:perf_hooks';

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Turn extends Span {
  readonly busyMs: number;
}

/** Shorter turns are of no interest. */
const LONG_MS = 5;

/**
 * Milliseconds that this process was busy in the longest turn of its event loop while `body` ran, less the stops of the
 * garbage collector in it; at least `LONG_MS`. What other programs take of the machine meanwhile is no fault of ours; how
 * long the collector stops is a matter of V8's version and of the heap that the process was given.
 */
export async function longestTurn(body: () => Promise<unknown>): Promise<number> {
  const turns: Turn[] = [];
  const stops: Span[] = [];
  const collector = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      stops.push({ start: startTime, end: startTime + duration });
  });
  collector.observe({ entryTypes: ['gc'] });
  let going = true;
  let cpu = process.cpuUsage();
  let start = performance.now();
  const turn = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    const end = performance.now();
    // Of the two the lesser: threads beside the loop's count as CPU time, other programs as wall time.
    const busyMs = Math.min((user + system) / 1000, end - start);
    if (busyMs > LONG_MS) turns.push({ start, end, busyMs });
    cpu = process.cpuUsage();
    start = performance.now();
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  await body().finally(() => {
    going = false;
  });
  // The collector's stops are told a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  collector.disconnect();
  const overlap = (one: Span, other: Span): number =>
    Math.max(0, Math.min(one.end, other.end) - Math.max(one.start, other.start));
  const own = (one: Turn): number => stops.reduce((left, stop) => left - overlap(one, stop), one.busyMs);
  return Math.max(LONG_MS, ...turns.map(own));
}
