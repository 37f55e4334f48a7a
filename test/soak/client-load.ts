/**
 * The load of one client of the soak: calls of all four kinds in closed loops, with pauses. A slow machine makes fewer
 * calls, and no backlog.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../lib/runtime.js';
import { bidirectionalStream, clientStream, serverStream, unary } from '../support/hello-calls.js';
import type { HelloClient } from '../support/hello-service.js';
import { ClosedLoop } from '../support/load-generator.js';
import { Recorder } from '../support/recorder.js';

export interface ClientLoadOptions {
  readonly client: HelloClient;
  readonly random: Random;
  /** Unary calls in flight. */
  readonly unaryCalls: number;
  /** Streams open, of each of the three kinds. */
  readonly streams: number;
}

/** Hung pods hold calls so long; a busy machine must not. */
const UNARY_DEADLINE_MS = 10_000;
const STREAM_DEADLINE_MS = 60_000;
/** Between two calls, on average. */
const PAUSE_MS = 100;
/** Between two messages of a stream. */
const STREAM_GAP_MS = 200;
const STREAM_MESSAGES = [5, 50] as const;

export class ClientLoad {
  readonly recorder = new Recorder();
  readonly #loops: readonly ClosedLoop[];

  constructor({ client, random, unaryCalls, streams }: ClientLoadOptions) {
    const [least, most] = STREAM_MESSAGES;
    const messages = (): number => least + Math.floor(random() * (most - least + 1));
    const stream = { deadlineMs: STREAM_DEADLINE_MS, gapMs: STREAM_GAP_MS, messages };
    const common = { recorder: this.recorder, pauseMs: () => 2 * PAUSE_MS * random() };
    const many = { ...common, inFlight: streams };
    this.#loops = [
      new ClosedLoop(unary(client, { deadlineMs: UNARY_DEADLINE_MS, message: (id) => `message ${id}` }), {
        ...common,
        inFlight: unaryCalls,
      }),
      // Pods take some 25 ms for a message.
      new ClosedLoop(serverStream(client, { ...stream, messages: () => 4 * messages() }), many),
      new ClosedLoop(clientStream(client, stream), many),
      new ClosedLoop(bidirectionalStream(client, stream), many),
    ];
  }

  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  /** Resolves when every call has ended, or when none can still be expected to. */
  async stop(): Promise<void> {
    const all = Promise.all(this.#loops.map((loop) => loop.stop()));
    await Promise.race([all, sleep(STREAM_DEADLINE_MS + UNARY_DEADLINE_MS, undefined, { ref: false })]);
  }

  /** Calls that never ended. After `stop()`. */
  get lost(): readonly string[] {
    return [...this.recorder.underWay].map(({ id, kind }) => `call ${id} (${kind}) never ended`);
  }
}
