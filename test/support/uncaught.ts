/** Takes what `body` leaves uncaught, which would otherwise end the process, and gives it to the test. */
import { settle } from './fake-clock.js';

export async function uncaughtDuring(body: () => void | Promise<void>): Promise<unknown[]> {
  const caught: unknown[] = [];
  const take = (error: unknown): void => void caught.push(error);
  // node:test listens too, and fails the test. (A capture callback would be simpler, but ts-node loads `domain`.)
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException').on('uncaughtException', take);
  try {
    await body();
    await settle();
  } finally {
    process.off('uncaughtException', take);
    for (const other of others) process.on('uncaughtException', other);
  }
  return caught;
}
