/**
 * Calls at a steady rate through the balancer, for `--calls`: `grpc.health.v1.Health/Check` with an empty request, which
 * asks for the whole server (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). A server that does not
 * serve it answers UNIMPLEMENTED, which counts as failed and shows all the same which pod was picked.
 */
import { type ChannelInterface, Client, credentials } from '@grpc/grpc-js';
import type { Clock, Timer } from '../../runtime.js';

const METHOD = '/grpc.health.v1.Health/Check';
const DEADLINE_MS = 5_000;
/** A call that hangs must not make thousands of others wait with it. */
const MOST_IN_FLIGHT = 1_000;
const EMPTY = Buffer.alloc(0);

export class HealthCalls {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #everyMs: number;
  #timer: Timer | null = null;
  #inFlight = 0;

  /** @param perSecond more than 0. */
  constructor(channel: ChannelInterface, perSecond: number, clock: Clock) {
    this.#client = new Client(channel.getTarget(), credentials.createInsecure(), { channelOverride: channel as never });
    this.#clock = clock;
    this.#everyMs = 1_000 / perSecond;
  }

  start(): void {
    let due = this.#clock.now();
    const next = (): void => {
      const now = this.#clock.now();
      // Timers come late; the rate holds all the same. After a pause the calls that were missed are not made up for.
      due = Math.max(due, now - 1_000);
      for (; due <= now; due += this.#everyMs) this.#call();
      this.#timer = this.#clock.setTimer(due - now, next);
    };
    next();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #call(): void {
    if (this.#inFlight >= MOST_IN_FLIGHT) return;
    this.#inFlight += 1;
    const same = (bytes: Buffer): Buffer => bytes;
    const deadline = this.#clock.wallTime() + DEADLINE_MS;
    this.#client.makeUnaryRequest(METHOD, same, same, EMPTY, { deadline }, () => {
      this.#inFlight -= 1;
    });
  }
}
