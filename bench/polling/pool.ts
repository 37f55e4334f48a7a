/** Blocks all threads of libuv's pool without CPU, as look-ups that hang do: each opens a FIFO without a writer. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, open, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** libuv's default. */
export const POOL_THREADS = 4;

/** Resolves when `work` has ended or, if it waits for a thread, after `ms` and its end. */
export async function withPoolBlocked<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'pool-'));
  const fifos = Array.from({ length: POOL_THREADS }, (_, index) => join(folder, String(index)));
  execFileSync('mkfifo', fifos);
  const opened = fifos.map(
    (fifo) =>
      new Promise<void>((resolve) => {
        open(fifo, 'r', (_, descriptor) => {
          closeSync(descriptor);
          resolve();
        });
      }),
  );
  const release = setTimeout(() => {
    // Opening for both ways never blocks, and lets the reader in.
    for (const fifo of fifos) closeSync(openSync(fifo, constants.O_RDWR));
  }, ms);
  try {
    return await work();
  } finally {
    await Promise.all(opened);
    clearTimeout(release);
    rmSync(folder, { recursive: true });
  }
}
