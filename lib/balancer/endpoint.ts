/** One connection to a pod, and nearly always the only one: its subchannel, its state, and the calls on it. */
import { connectivityState } from '@grpc/grpc-js';
import type { PickResult, Subchannel } from '../grpc/experimental.js';
import type { PickableEndpoint } from '../picker/policy.js';
import type { CallCounts } from '../telemetry/released-pods.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';
import { connectionErrorOf, NO_REASON, setConnectionError } from './connection-errors.js';
import { Drain } from './drain.js';
import { type EndpointAddress, nameOf } from './endpoint-address.js';
import { EndpointCalls } from './endpoint-calls.js';
import type { EndpointContext } from './endpoint-context.js';
import { EndpointHealth } from './endpoint-health.js';
import {
  changeEvent,
  connectedState,
  type EndpointState,
  type EndpointStateKind,
  isConnected,
  shownState,
  unconnectedState,
} from './endpoint-state.js';

export class Endpoint implements PickableEndpoint {
  readonly address: EndpointAddress;
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly name: string;
  /** The topology zone by the last set that had it; null where none was told. */
  zone: string | null;
  /** It was added to a set that was in use. */
  joinsSetInUse = false;
  /** The number of the last set that had it; see `EndpointSet`. */
  setNumber = 0;
  /** As the last set tells it; undefined where it tells none. */
  weight: number | undefined;
  readonly #context: EndpointContext;
  #state: EndpointState = { kind: 'queued' };
  #since: number;
  #subchannel: Subchannel | null = null;
  readonly #health = new EndpointHealth((changed) => this.#onHealth(changed));
  readonly #calls: EndpointCalls;
  #lastError: string | null = null;
  #joinedAt: number | null = null;

  constructor(address: EndpointAddress, context: EndpointContext) {
    this.address = address;
    this.name = nameOf(address);
    this.zone = address.zone ?? null;
    this.#context = context;
    this.#since = context.clock.wallTime();
    this.#calls = new EndpointCalls({
      clock: context.clock,
      totals: context.calls,
      observer: this.#health,
      refusal: () => this.#reasonToEndCalls,
      onIdle: () => this.settleDrain(),
    });
  }

  get state(): EndpointStateKind {
    return this.#state.kind;
  }

  /** Connected, and no health monitor objects; true of some draining endpoints too. */
  get usable(): boolean {
    return isConnected(this.#state.kind) && this.#health.verdict === true;
  }

  /** Connected, and takes calls if no other endpoint does, although a health monitor objects. */
  get usableInPanic(): boolean {
    return this.#state.kind === 'unhealthy' && this.#health.verdictInPanic;
  }

  /** Of the last failed connection attempt; null while connected. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /** When the state that a snapshot shows was entered: wall-clock milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }

  /** Makes the subchannel and connects it. A queued endpoint's first step. */
  start(): void {
    this.#attach();
    const { subchannel } = this;
    this.#lastError = connectionErrorOf(subchannel);
    // A pooled subchannel may be of any state already.
    this.#setState(this.#stateFor(subchannel.getConnectivityState()));
    if (!isConnected(this.state)) subchannel.startConnecting();
  }

  /** Does nothing where a connection stands or is on its way; after a failure it waits for grpc-js's backoff. */
  connect(): void {
    this.#subchannel?.startConnecting();
  }

  /**
   * It left the set, or has left it before. Without a connection there is nothing to finish, and nothing to come back to.
   *
   * @param listed it is still in DNS, and only not needed: its calls have all the time.
   */
  drain(listed = false): void {
    if (this.#state.kind === 'draining') this.#state.drain.listed = listed;
    else if (!isConnected(this.state)) this.release();
    else {
      const listener = { onLingered: () => this.settleDrain(), onTimeout: () => this.#endCalls() };
      const drain = new Drain(this.#context.clock, this.#context.drain, listener, listed);
      this.#setState({ kind: 'draining', drain });
    }
  }

  /** It is back in the set: its connection is taken up again. */
  cancelDrain(): void {
    if (this.#state.kind === 'draining') this.#setState(this.#connected);
  }

  /** Releases the endpoint if its drain is complete: it lingered, has no call, and is no last resort. */
  settleDrain(): void {
    if (this.#state.kind !== 'draining' || !this.#state.drain.lingered) return;
    if (this.#calls.inFlight === 0 && !this.#context.isLastResort(this)) this.release();
  }

  /** Endpoints of the set take calls again: calls that began here meanwhile get the whole time to end. */
  endLastResort(): void {
    if (this.#state.kind === 'draining') this.#state.drain.restartTimeout();
    this.settleDrain();
  }

  /** Lets the connection go; grpc-js closes it gracefully once no channel holds it. Idempotent. */
  release(): void {
    if (this.#state.kind !== 'released') this.#setState({ kind: 'released' });
  }

  get pickResult(): PickResult {
    return this.#calls.pickResult;
  }

  outstanding(turn: number): number {
    return this.#calls.load(turn);
  }

  get joinedAt(): number | null {
    return this.#joinedAt;
  }

  get setAside(): number {
    return this.#calls.setAside;
  }

  recordTurn(otherOutstanding: number): boolean {
    return this.#calls.recordTurn(otherOutstanding);
  }

  recordPick(turn: number): void {
    this.#calls.recordPick(turn);
  }

  /** From now on each call is kept account of. Idempotent. */
  trackCalls(): void {
    if (this.#subchannel) this.#calls.track(this.#subchannel);
  }

  /** Calls that have been open for so long, as far as they were kept account of. */
  openFor(ageMs: number): number {
    return this.#calls.openFor(ageMs);
  }

  get counts(): CallCounts {
    return this.#calls.counts;
  }

  snapshot(): EndpointSnapshot {
    return {
      address: this.name,
      state: shownState(this.state),
      ...this.#calls.counts,
      since: this.#since,
      zone: this.zone,
      weight: this.weight ?? null,
      lastError: this.#lastError,
      ...this.#health.shown,
    };
  }

  /** The subchannel; throws before `start` made it. */
  get subchannel(): Subchannel {
    if (!this.#subchannel) throw new Error(`no subchannel has been made for ${this.name}`);
    return this.#subchannel;
  }

  #setState(next: EndpointState): void {
    const previous = this.#state;
    if (next.kind === previous.kind) return;
    if (previous.kind === 'draining') previous.drain.cancel();
    this.#state = next;
    const { clock } = this.#context;
    if (shownState(previous.kind) !== shownState(next.kind)) this.#since = clock.wallTime();
    if (next.kind === 'ready' && this.joinsSetInUse) this.#joinedAt ??= clock.now();
    if (next.kind === 'released') this.#detach();
    const event = changeEvent(previous.kind, next.kind, this.name);
    if (event) this.#context.emit(event);
    this.#context.onStateChange(this, previous.kind);
  }

  get #connected(): EndpointState {
    return connectedState(this.#health.verdict);
  }

  #stateFor(state: connectivityState): EndpointState {
    return state === connectivityState.READY ? this.#connected : unconnectedState(state, this.state);
  }

  #attach(): void {
    const subchannel = this.#context.createSubchannel(this.address);
    this.#subchannel = subchannel;
    this.#calls.attach(subchannel);
    if (this.#context.tracksCalls) this.trackCalls();
    subchannel.ref();
    subchannel.addConnectivityStateListener(this.#onSubchannelState);
    const isListed = (): boolean => this.#state.kind !== 'draining';
    this.#health.start(this.#context.monitors, {
      address: this.name,
      authority: this.#context.callAuthority,
      subchannel,
      get listed() {
        return isListed();
      },
    });
  }

  /** null as long as calls may be open: until it drains, the time for its calls is over, and others take calls. */
  get #reasonToEndCalls(): string | null {
    if (this.#state.kind !== 'draining' || !this.#state.drain.timedOut || this.#context.isLastResort(this)) return null;
    const { timeoutMs } = this.#context.drain;
    return `headless: the pod ${this.name} was removed from DNS, and drain.timeoutMs (${timeoutMs} ms) passed`;
  }

  #endCalls(): void {
    const reason = this.#reasonToEndCalls;
    const calls = reason === null ? 0 : this.#calls.endAll(reason);
    if (calls > 0) this.#context.emit({ kind: 'drain_timed_out', address: this.name, calls });
  }

  #detach(): void {
    const subchannel = this.#subchannel;
    if (!subchannel) return;
    this.#health.stop();
    subchannel.removeConnectivityStateListener(this.#onSubchannelState);
    this.#context.onSubchannelReleased(subchannel);
    subchannel.unref();
  }

  readonly #onSubchannelState = (
    subchannel: Subchannel,
    _previous: connectivityState,
    next: connectivityState,
    _keepaliveTime: number,
    errorMessage?: string,
  ): void => {
    if (errorMessage || (next === connectivityState.READY && this.#lastError !== null)) {
      this.#lastError = errorMessage || null;
      setConnectionError(subchannel, this.#lastError);
    }
    const previous = this.state;
    if (this.#state.kind === 'draining') {
      // The connection is gone: there is nothing left to keep.
      if (next !== connectivityState.READY) this.release();
      return;
    }
    if (next === connectivityState.TRANSIENT_FAILURE)
      this.#context.emit({ kind: 'connection_failed', address: this.name, error: errorMessage ?? NO_REASON });
    this.#setState(this.#stateFor(next));
    this.#context.onSubchannelState(this, previous);
  };

  #onHealth(changed: boolean): void {
    const { state } = this;
    if (state !== 'draining' && isConnected(state)) this.#setState(this.#connected);
    // A change of state has been told.
    if (changed && state === this.state) this.#context.onStateChange(this, state);
  }
}
