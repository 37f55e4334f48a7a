/**
 * Bytes of DATA frames that this process received, by stream. grpc-js hands messages on decompressed, without the flag that
 * says whether they were compressed; their size on the wire says it too.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { eventually } from '../../support/eventually.js';

interface StreamEntry {
  readonly name: string;
  readonly detail?: unknown;
}

/** @returns what one call received. No other stream may end meanwhile. */
export async function receivedBytes(call: () => Promise<unknown>): Promise<number> {
  const received: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { name, detail } of list.getEntries() as readonly StreamEntry[])
      if (name === 'Http2Stream') received.push((detail as { bytesRead: number }).bytesRead);
  });
  observer.observe({ entryTypes: ['http2'] });
  try {
    await call();
    await eventually(() => received.length > 0);
  } finally {
    observer.disconnect();
  }
  const [bytes] = received;
  if (bytes === undefined || received.length > 1) throw new Error(`one stream was to end, not ${received.length}`);
  return bytes;
}
