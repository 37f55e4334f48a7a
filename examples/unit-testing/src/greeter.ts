/** The module under test: a part of a service that calls another service. */
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessOptions } from 'grpc-headless';
import { HelloClient, type HiRequest, type HiResponse } from './hello-client';

export class Greeter {
  readonly #client;
  readonly #hi;

  /** `headless`: what tests pass; without it the cluster's DNS is asked. */
  constructor(target: string, headless: HeadlessOptions = {}) {
    const client = createHeadlessClient(HelloClient, target, credentials.createInsecure(), { headless });
    this.#hi = promisify<HiRequest, HiResponse>((request, callback) => client.hi(request, callback));
    this.#client = client;
  }

  /** Resolves with the name of the pod that answered. */
  async greet(message: string): Promise<string> {
    const { fromWho } = await this.#hi({ toWho: 'pod', message });
    return fromWho;
  }

  /** Asks DNS now. */
  refresh(): Promise<unknown> {
    return this.#client.getChannel().refresh();
  }

  close(): void {
    this.#client.close();
  }
}
