/**
 * One pod as the balancer sees it: its subchannel, the calls on it, and the pick result that sends a call there.
 * The result is made once, so a pick allocates nothing.
 */
import { connectivityState, status } from '@grpc/grpc-js';
import { type PickResult, PickResultType, type Subchannel } from '../grpc/experimental.js';

/** `backoff` from the first failed attempt until READY: retries meanwhile are no news (gRFC A61's sticky failure). */
export type ConnectionState = 'connecting' | 'ready' | 'backoff';

/** What a picker may know of a pod. */
export interface PickableEndpoint {
  readonly pickResult: PickResult;
  /** Calls in flight, those included that were sent here in this turn and have not begun yet. */
  outstanding(turn: number): number;
  /** A call was sent here in this turn. */
  recordPick(turn: number): void;
}

export interface EndpointSnapshot {
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly address: string;
  readonly state: ConnectionState | 'draining';
  /** Calls under way; a stream counts until it ends. */
  readonly inFlight: number;
  readonly started: number;
  /** Ended with status OK. */
  readonly succeeded: number;
  readonly failed: number;
  /** When the state was entered: wall-clock ms since the epoch. */
  readonly since: number;
}

/** `up`: connected. `lost`: no longer so. `other`: still trying, or a verdict on its health. */
export type ConnectionChange = 'up' | 'lost' | 'other';

/** What an endpoint tells its balancer. */
export interface EndpointOwner {
  /** The connection's state changed, or its health did. */
  onConnectionChange(endpoint: Endpoint, change: ConnectionChange): void;
  /** The last call on it ended. */
  onCallsFinished(endpoint: Endpoint): void;
  wallTime(): number;
}

export class Endpoint implements PickableEndpoint {
  readonly address: string;
  readonly pickResult: PickResult;
  /** Among the pods of the set that take calls; the balancer's own mark. */
  inPicker = false;
  readonly #subchannel: Subchannel;
  readonly #owner: EndpointOwner;
  #state: ConnectionState;
  #draining = false;
  #since: number;
  #lastError: string | null = null;
  #inFlight = 0;
  #started = 0;
  #succeeded = 0;
  #failed = 0;
  /** Picks of the turn numbered `#pickedTurn` whose calls have not begun: those begin a microtask later at the least. */
  #picks = 0;
  #pickedTurn = -1;

  constructor(address: string, subchannel: Subchannel, owner: EndpointOwner) {
    this.address = address;
    this.#subchannel = subchannel;
    this.#owner = owner;
    this.#since = owner.wallTime();
    this.pickResult = {
      pickResultType: PickResultType.COMPLETE,
      subchannel,
      status: null,
      onCallStarted: () => {
        this.#started += 1;
        this.#inFlight += 1;
        if (this.#picks > 0) this.#picks -= 1;
      },
      onCallEnded: (code) => {
        if (code === status.OK) this.#succeeded += 1;
        else this.#failed += 1;
        this.#inFlight -= 1;
        if (this.#inFlight === 0) owner.onCallsFinished(this);
      },
    };
    // A pooled subchannel may be of any state already.
    const current = subchannel.getConnectivityState();
    this.#state = this.#read(current) ?? 'connecting';
    subchannel.ref();
    subchannel.addConnectivityStateListener(this.#onSubchannel);
    subchannel.addHealthStateWatcher(this.#onHealth);
  }

  /** Takes calls: connected, and not ejected by a health check or outlier detection above us. */
  get usable(): boolean {
    return this.#state === 'ready' && this.#subchannel.isHealthy();
  }

  get connection(): ConnectionState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Left the set: gets no new call while others can take it. */
  get draining(): boolean {
    return this.#draining;
  }

  set draining(draining: boolean) {
    this.#draining = draining;
    this.#since = this.#owner.wallTime();
  }

  /** Of the last failed connection attempt. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /** Does nothing where a connection stands or is on its way; after a failure it waits for grpc-js's backoff. */
  connect(): void {
    this.#subchannel.startConnecting();
  }

  outstanding(turn: number): number {
    return this.#pickedTurn === turn ? this.#inFlight + this.#picks : this.#inFlight;
  }

  recordPick(turn: number): void {
    if (this.#pickedTurn !== turn) {
      this.#pickedTurn = turn;
      this.#picks = 0;
    }
    this.#picks += 1;
  }

  snapshot(): EndpointSnapshot {
    return {
      address: this.address,
      state: this.#draining ? 'draining' : this.#state,
      inFlight: this.#inFlight,
      started: this.#started,
      succeeded: this.#succeeded,
      failed: this.#failed,
      since: this.#since,
    };
  }

  /** For channelz, which shows a channel's subchannels as its children. */
  get channelzRef(): ReturnType<Subchannel['getChannelzRef']> {
    return this.#subchannel.getChannelzRef();
  }

  /** Lets the connection go; grpc-js closes it gracefully once no channel holds it. */
  release(): void {
    this.#subchannel.removeConnectivityStateListener(this.#onSubchannel);
    this.#subchannel.removeHealthStateWatcher(this.#onHealth);
    this.#subchannel.unref();
  }

  readonly #onSubchannel = (
    _subchannel: Subchannel,
    _previous: connectivityState,
    next: connectivityState,
    _keepaliveTime: number,
    errorMessage?: string,
  ): void => {
    if (errorMessage) this.#lastError = errorMessage;
    const before = this.#state;
    const state = this.#read(next);
    if (state && state !== this.#state) {
      this.#state = state;
      if (!this.#draining) this.#since = this.#owner.wallTime();
    }
    const wasUp = before === 'ready';
    const isUp = this.#state === 'ready';
    this.#owner.onConnectionChange(this, wasUp === isUp ? 'other' : isUp ? 'up' : 'lost');
  };

  readonly #onHealth = (): void => this.#owner.onConnectionChange(this, 'other');

  #read(state: connectivityState): ConnectionState | null {
    switch (state) {
      case connectivityState.READY:
        return 'ready';
      case connectivityState.TRANSIENT_FAILURE:
        return 'backoff';
      default:
        return this.#state === 'backoff' ? 'backoff' : 'connecting';
    }
  }
}
