/**
 * Of a few distinct endpoints, by default two, the one with the least latency times calls in flight (Finagle's PeakEwma);
 * see choice.ts for the choice, endpoint-latency.ts for the latency.
 *
 * Latency needs the start of each call, so each call in flight has a pick result of its own. They are used again: once
 * there are as many as the most calls that were in flight at a time, a pick allocates nothing.
 */
import type { status } from '@grpc/grpc-js';
import type { PickResult } from '../grpc/experimental.js';
import { Choice, type Latencies } from './choice.js';
import { ChannelLatency, EndpointLatency } from './endpoint-latency.js';
import type { PickableEndpoint, Picker, PickerContext, Policy, PolicySettings } from './policy.js';
import { Rotation } from './rotation.js';
import { SlowStart } from './slow-start.js';

/**
 * Endpoints whose latencies differ by less than this factor are taken for equally fast. Otherwise the fastest of several
 * idle endpoints would get every call, be it faster by chance and by a hundredth.
 */
const SAME_SPEED = 2;
/** Added to each latency in a comparison: differences of a few milliseconds are noise of the event loop. */
const NOISE_MS = 5;

/** A call in flight, or the object of one that ended, which waits for the next call. */
class TimedCall implements PickResult {
  readonly pickResultType: PickResult['pickResultType'];
  /** That of `counted`: an endpoint may have several connections. */
  subchannel: PickResult['subchannel'];
  readonly status = null;
  readonly onCallStarted: NonNullable<PickResult['onCallStarted']>;
  readonly onCallEnded: NonNullable<PickResult['onCallEnded']>;
  /** The endpoint's own, which counts the call. */
  counted: PickResult;

  constructor(measured: MeasuredEndpoint, counted: PickResult) {
    this.pickResultType = counted.pickResultType;
    this.subchannel = counted.subchannel;
    this.counted = counted;
    let startedAt = 0;
    this.onCallStarted = () => {
      startedAt = measured.now();
      this.counted.onCallStarted?.();
    };
    this.onCallEnded = (code, details, metadata) => {
      const { setAside } = measured.endpoint;
      this.counted.onCallEnded?.(code, details, metadata);
      measured.onEnded(this, startedAt, code, measured.endpoint.setAside < setAside);
    };
  }
}

/** An endpoint with its latency. Kept from picker to picker. */
class MeasuredEndpoint {
  readonly endpoint: PickableEndpoint;
  readonly latency: EndpointLatency;
  readonly now: () => number;
  readonly #idle: TimedCall[] = [];

  constructor(endpoint: PickableEndpoint, channel: ChannelLatency, clock: PickerContext['clock']) {
    this.endpoint = endpoint;
    this.latency = new EndpointLatency(channel);
    this.now = () => clock.now();
  }

  /** For the next call. One that never begins is left to the garbage collector. */
  pickResult(): PickResult {
    const counted = this.endpoint.pickResult;
    // The call waits for a connection.
    if (counted.subchannel === null) return counted;
    const call = this.#idle.pop();
    if (call === undefined) return new TimedCall(this, counted);
    call.counted = counted;
    call.subchannel = counted.subchannel;
    return call;
  }

  onEnded(call: TimedCall, startedAt: number, code: status, wasSetAside: boolean): void {
    this.#idle.push(call);
    // How long a stream stays open tells nothing of the pod's speed.
    if (!wasSetAside) this.latency.observe(startedAt, this.now(), code);
  }
}

class MeasuredLatencies implements Latencies {
  readonly #measured: readonly MeasuredEndpoint[];
  readonly #clock: PickerContext['clock'];

  constructor(measured: readonly MeasuredEndpoint[], clock: PickerContext['clock']) {
    this.#measured = measured;
    this.#clock = clock;
  }

  ratio(place: number, outstanding: number, other: number, otherOutstanding: number): number {
    const now = this.#clock.now();
    const latency = this.#latencyOf(place, now, outstanding);
    const otherLatency = this.#latencyOf(other, now, otherOutstanding);
    // Until it is measured, an endpoint is taken for as fast as any.
    if (latency === 0 || otherLatency === 0) return 1;
    const ratio = (latency + NOISE_MS) / (otherLatency + NOISE_MS);
    return ratio < SAME_SPEED && ratio > 1 / SAME_SPEED ? 1 : ratio;
  }

  passOver(place: number): boolean {
    return (this.#measured[place] as MeasuredEndpoint).latency.passOver();
  }

  #latencyOf(place: number, now: number, outstanding: number): number {
    return (this.#measured[place] as MeasuredEndpoint).latency.at(now, outstanding);
  }
}

class PeakEwmaPicker implements Picker {
  readonly rotation: Rotation;
  readonly slowStart: SlowStart | null;
  readonly channel: ChannelLatency;
  readonly measured: readonly MeasuredEndpoint[];
  readonly #choice: Choice;
  readonly #turns: PickerContext['turns'];

  constructor(
    rotation: Rotation,
    slowStart: SlowStart | null,
    choices: number,
    previous: PeakEwmaPicker | null,
    { random, turns, clock }: PickerContext,
  ) {
    this.rotation = rotation;
    this.slowStart = slowStart;
    this.channel = previous?.channel ?? new ChannelLatency();
    this.measured = measureAll(rotation.endpoints, previous, this.channel, clock);
    this.#choice = new Choice(rotation, {
      choices,
      random,
      slowStart,
      latencies: new MeasuredLatencies(this.measured, clock),
    });
    this.#turns = turns;
  }

  get endpoints(): readonly PickableEndpoint[] {
    return this.rotation.endpoints;
  }

  pick(): PickResult {
    const turn = this.#turns.current();
    const measured = this.measured[this.#choice.choose(this.#choice.next(), turn)] as MeasuredEndpoint;
    measured.endpoint.recordPick(turn);
    return measured.pickResult();
  }
}

/** Endpoints of the previous picker keep their latencies. */
function measureAll(
  endpoints: readonly PickableEndpoint[],
  previous: PeakEwmaPicker | null,
  channel: ChannelLatency,
  clock: PickerContext['clock'],
): readonly MeasuredEndpoint[] {
  const known = new Map(previous?.measured.map((measured) => [measured.endpoint, measured]));
  return endpoints.map((endpoint) => known.get(endpoint) ?? new MeasuredEndpoint(endpoint, channel, clock));
}

export function createPeakEwma({ choices, slowStartMs }: PolicySettings): Policy {
  return {
    createPicker(ready, previous, context) {
      const before = previous instanceof PeakEwmaPicker ? previous : null;
      const rotation = Rotation.of(ready, before?.rotation ?? null, context.random);
      const slowStart = SlowStart.of(slowStartMs, ready, before?.slowStart ?? null, context);
      return new PeakEwmaPicker(rotation, slowStart, choices, before, context);
    },
  };
}
