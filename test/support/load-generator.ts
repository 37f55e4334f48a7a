import { setTimeout as sleep } from 'node:timers/promises';
import { type HelloClient, sayHi } from './hello-service.js';
import type { Defer } from './leak-check.js';

/** Calls that go on in the background while a test does something to the cluster. */
export class Load {
  /** Answered so far. */
  calls = 0;
  readonly failures: Error[] = [];
  #stopping = false;
  readonly #workers: Promise<unknown>;

  private constructor(client: HelloClient, workers: number, gapMs: number) {
    const work = async (): Promise<void> => {
      while (!this.#stopping) {
        await sayHi(client).then(
          () => {
            this.calls += 1;
          },
          (error: Error) => this.failures.push(error),
        );
        await sleep(gapMs);
      }
    };
    this.#workers = Promise.all(Array.from({ length: workers }, work));
  }

  /** Each worker makes one call at a time and pauses between two, to leave the machine to what is tested. */
  static start(defer: Defer, client: HelloClient, { workers = 4, gapMs = 5 } = {}): Load {
    const load = new Load(client, workers, gapMs);
    defer(() => load.stop());
    return load;
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#workers;
  }
}
