/**
 * The latency that the next call to an endpoint has to expect: Finagle's PeakEwma, with two rules more for pods that
 * would seem fast and are not.
 *
 * - A pod that answers nothing: while calls are in flight, the average does not decay.
 * - A pod that fails at once: a failed call has at least the latency of the channel's successful calls, and an endpoint
 *   that fails more often than the channel's average has up to ten times its latency. So failures draw no calls, and
 *   where all endpoints fail alike, the shares stay as they are.
 *
 * And one for a pod that was slow once and gets no call that would show otherwise: after eight turns it gets one, and
 * if that is twice as fast, the peak is forgotten. If not, the next trial has to wait twice as long.
 */
import { status } from '@grpc/grpc-js';
import { PeakLatency } from './peak-latency.js';

/** The latency is multiplied by up to one more than this. */
const FAILURE_PENALTY = 9;
/** The part that each new call has in the average share of failed calls: of an endpoint, and of the channel. */
const ENDPOINT_SMOOTHING = 1 / 8;
const CHANNEL_SMOOTHING = 1 / 64;

/** A pod that is slow only once misses so few turns; one that stays slow is tried ever more seldom. */
const TRIAL_TURNS = 8;
const MOST_TRIAL_TURNS = 128 * TRIAL_TURNS;

/** What all endpoints of a channel share. */
export class ChannelLatency {
  /** Of successful calls. */
  readonly successful = new PeakLatency();
  /** Share of failed calls, from 0 to 1. */
  failing = 0;
}

export class EndpointLatency {
  readonly #channel: ChannelLatency;
  readonly #ended = new PeakLatency();
  #failing = 0;
  /** Turns at which it was passed over since the last call, and the number that leads to a trial. */
  #passed = 0;
  #patience = TRIAL_TURNS;
  #onTrial = false;

  constructor(channel: ChannelLatency) {
    this.#channel = channel;
  }

  /** In milliseconds; 0 where no call has ended yet. */
  at(now: number, outstanding: number): number {
    const ended = outstanding > 0 ? this.#ended.last : this.#ended.at(now);
    return ended * (1 + FAILURE_PENALTY * Math.max(0, this.#failing - this.#channel.failing));
  }

  /** It is idle, and would be passed over for its latency. True where it should get this call, as a trial. */
  passOver(): boolean {
    this.#passed += 1;
    this.#onTrial = this.#passed >= this.#patience;
    if (this.#onTrial) this.#passed = 0;
    return this.#onTrial;
  }

  /** A call ended. */
  observe(startedAt: number, now: number, code: status): void {
    const latency = now - startedAt;
    if (this.#onTrial) this.#endTrial(latency, code);
    if (code === status.CANCELLED) {
      // The caller gave up: the answer would have taken longer still.
      if (latency > this.#ended.at(now)) this.#ended.observe(latency, now);
      return;
    }
    const failed = code === status.OK ? 0 : 1;
    this.#failing += (failed - this.#failing) * ENDPOINT_SMOOTHING;
    this.#channel.failing += (failed - this.#channel.failing) * CHANNEL_SMOOTHING;
    if (failed === 0) this.#channel.successful.observe(latency, now);
    this.#ended.observe(failed === 0 ? latency : Math.max(latency, this.#channel.successful.at(now)), now);
  }

  #endTrial(latency: number, code: status): void {
    this.#onTrial = false;
    const isFaster = code === status.OK && latency < this.#ended.last / 2;
    this.#patience = isFaster ? TRIAL_TURNS : Math.min(2 * this.#patience, MOST_TRIAL_TURNS);
    if (isFaster) this.#ended.forget();
  }
}
