/**
 * The open calls of one endpoint, one by one: how old each is, and how to end them. A balancer never sees the calls
 * themselves, so they are found on their way: the pick result names a subchannel of ours, whose real subchannel starts
 * each call and remembers it. Calls of other channels on the same pooled connection do not pass here.
 */
import type { status } from '@grpc/grpc-js';
import { BaseSubchannelWrapper, type Subchannel } from '../grpc/experimental.js';
import type { Clock } from '../runtime.js';

type RealSubchannel = ReturnType<Subchannel['getRealSubchannel']>;
type CreateCall = RealSubchannel['createCall'];
type OpenCall = ReturnType<CreateCall>;

/** `outlier_detection` (gRFC A50) wraps subchannels, and finds its wrapper in a pick result by these two. */
interface OutlierWrapper extends Subchannel {
  getMapEntry(): unknown;
  getWrappedSubchannel(): Subchannel;
}

export class OpenCalls {
  /** To be named in pick results in the place of the subchannel that it stands for. */
  readonly subchannel: Subchannel;
  /** The time at which each call began, the oldest first. */
  readonly #calls = new Map<OpenCall, number>();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #refusal: () => string | null;

  /** @param refusal why no call may begin at this moment; null where it may. Refused calls are picked again. */
  constructor(subchannel: Subchannel, clock: Pick<Clock, 'now'>, refusal: () => string | null) {
    this.#clock = clock;
    this.#refusal = refusal;
    this.subchannel = new TrackedSubchannel(subchannel, this);
  }

  /** How many calls have been open for so long. Costs time in proportion to them. */
  openFor(ageMs: number): number {
    const latest = this.#clock.now() - ageMs;
    let count = 0;
    for (const since of this.#calls.values()) {
      if (since > latest) break;
      count += 1;
    }
    return count;
  }

  /** Ends all open calls, and says how many there were. Their streams are reset; the connection stays. */
  endAll(code: status, details: string): number {
    const calls = [...this.#calls.keys()];
    for (const call of calls) call.cancelWithStatus(code, details);
    return calls.length;
  }

  /** `createCall` of a real subchannel, with the call remembered until its status arrives. */
  begin(real: RealSubchannel, args: Parameters<CreateCall>): OpenCall {
    const refusal = this.#refusal();
    // grpc-js takes a call that could not begin for one that never left the client, and picks again.
    if (refusal !== null) throw new Error(refusal);
    const [metadata, host, method, listener, ...rest] = args;
    const tracked: typeof listener = {
      onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
      onReceiveMessage: (message) => listener.onReceiveMessage(message),
      onReceiveStatus: (end) => {
        this.#calls.delete(call);
        listener.onReceiveStatus(end);
      },
    };
    const call = real.createCall(metadata, host, method, tracked, ...rest);
    this.#calls.set(call, this.#clock.now());
    return call;
  }
}

class TrackedSubchannel extends BaseSubchannelWrapper {
  readonly #openCalls: OpenCalls;
  #real: RealSubchannel | null = null;

  constructor(subchannel: Subchannel, openCalls: OpenCalls) {
    super(subchannel);
    this.#openCalls = openCalls;
    if (!isOutlierWrapper(subchannel)) return;
    const wrapped = new TrackedSubchannel(subchannel.getWrappedSubchannel(), openCalls);
    Object.assign(this, { getMapEntry: () => subchannel.getMapEntry(), getWrappedSubchannel: () => wrapped });
  }

  override getRealSubchannel(): RealSubchannel {
    if (this.#real) return this.#real;
    const real = super.getRealSubchannel();
    const begin: CreateCall = (...args) => this.#openCalls.begin(real, args);
    // All but the creation of calls is the real one's.
    this.#real = Object.create(real, { createCall: { value: begin } }) as RealSubchannel;
    return this.#real;
  }
}

function isOutlierWrapper(subchannel: Subchannel): subchannel is OutlierWrapper {
  return 'getMapEntry' in subchannel && 'getWrappedSubchannel' in subchannel;
}
