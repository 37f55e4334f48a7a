/** Takes what `body` leaves uncaught, which would otherwise end the process, and gives it to the test. */
import { settle } from './fake-clock.js';

export async function uncaughtDuring(body: () => void | Promise<void>): Promise<unknown[]> {
  const caught: unknown[] = [];
  // It comes before the listeners, of which node:test has one that fails the test.
  process.setUncaughtExceptionCaptureCallback((error) => void caught.push(error));
  try {
    await body();
    await settle();
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
  return caught;
}
