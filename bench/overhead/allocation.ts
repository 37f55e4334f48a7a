/** How many bytes a piece of work allocates on the JavaScript heap, estimated by V8's sampling heap profiler. */
import { Session } from 'node:inspector/promises';

/** On average one sample in so many bytes: fine enough for megabytes, coarse enough to cost little. */
const SAMPLING_BYTES = 16_384;

interface Node {
  readonly selfSize: number;
  readonly children: readonly Node[];
}

/** What was collected meanwhile counts as well: all that was allocated, not what is left. */
export async function allocatedBytes(work: () => Promise<void>): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: SAMPLING_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await work();
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return sizeOf(profile.head);
  } finally {
    session.disconnect();
  }
}

function sizeOf({ selfSize, children }: Node): number {
  return children.reduce((total, child) => total + sizeOf(child), selfSize);
}
