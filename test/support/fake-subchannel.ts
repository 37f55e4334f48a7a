/** A subchannel whose state the test drives, and the helper of a channel that makes them and hears of states. */
import { type ChannelOptions, connectivityState, Metadata, type status } from '@grpc/grpc-js';
import type { ChannelControlHelper, Picker, Subchannel } from '../../lib/grpc/experimental.js';

type StateListener = Parameters<Subchannel['addConnectivityStateListener']>[0];
type HealthListener = Parameters<Subchannel['addHealthStateWatcher']>[0];
type RealSubchannel = ReturnType<Subchannel['getRealSubchannel']>;
type CreateCall = RealSubchannel['createCall'];
type ChannelzRef = ReturnType<Subchannel['getChannelzRef']>;
type Address = Parameters<ChannelControlHelper['createSubchannel']>[0];
type ChannelzChild = Parameters<ChannelControlHelper['addChannelzChild']>[0];

export class FakeSubchannel implements Subchannel {
  readonly address: string;
  /** Held by so many; it may be closed at 0. */
  refs = 0;
  /** As grpc-js's own subchannels have it: see lib/grpc/stream-limit.ts. */
  transport: { session: { remoteSettings: { maxConcurrentStreams: number } } } | null = null;
  /** Calls of `startConnecting`. */
  connects = 0;
  #state: connectivityState;
  #healthy = true;
  readonly #listeners = new Set<StateListener>();
  readonly #watchers = new Set<HealthListener>();

  constructor(address: string, state: connectivityState = connectivityState.IDLE) {
    this.address = address;
    this.#state = state;
  }

  /** Those of states and of health. */
  get listeners(): number {
    return this.#listeners.size + this.#watchers.size;
  }

  become(state: keyof typeof connectivityState, error?: string): void {
    const previous = this.#state;
    this.#state = connectivityState[state];
    for (const listener of [...this.#listeners]) listener(this, previous, this.#state, 0, error);
  }

  setHealthy(healthy: boolean): void {
    this.#healthy = healthy;
    for (const watcher of [...this.#watchers]) watcher(healthy);
  }

  /** The peer's SETTINGS_MAX_CONCURRENT_STREAMS. */
  set streamLimit(maxConcurrentStreams: number) {
    this.transport = { session: { remoteSettings: { maxConcurrentStreams } } };
  }

  getConnectivityState(): connectivityState {
    return this.#state;
  }

  addConnectivityStateListener(listener: StateListener): void {
    this.#listeners.add(listener);
  }

  removeConnectivityStateListener(listener: StateListener): void {
    this.#listeners.delete(listener);
  }

  startConnecting(): void {
    this.connects += 1;
  }

  getAddress(): string {
    return this.address;
  }

  throttleKeepalive(): void {}

  ref(): void {
    this.refs += 1;
  }

  unref(): void {
    this.refs -= 1;
  }

  getChannelzRef(): ChannelzRef {
    return { kind: 'subchannel' as ChannelzRef['kind'], id: 0, name: this.address };
  }

  isHealthy(): boolean {
    return this.#healthy;
  }

  addHealthStateWatcher(watcher: HealthListener): void {
    this.#watchers.add(watcher);
  }

  removeHealthStateWatcher(watcher: HealthListener): void {
    this.#watchers.delete(watcher);
  }

  addDataWatcher(): void {}

  getRealSubchannel(): RealSubchannel {
    return this as never;
  }

  /** As of the real one. */
  createCall(...[, , , listener]: Parameters<CreateCall>): ReturnType<CreateCall> {
    let open = true;
    const cancelWithStatus = (code: status, details: string): void => {
      if (!open) return;
      open = false;
      // As in grpc-js: the status arrives later.
      process.nextTick(() => listener.onReceiveStatus({ code, details, metadata: new Metadata() }));
    };
    return { cancelWithStatus } as ReturnType<CreateCall>;
  }

  realSubchannelEquals(other: Subchannel): boolean {
    return other === this;
  }

  getCallCredentials(): never {
    throw new Error('nobody should ask');
  }

  getChannel(): never {
    throw new Error('nobody should ask');
  }
}

export interface Published {
  readonly state: keyof typeof connectivityState;
  readonly picker: Picker;
  readonly error: string | null;
}

export class FakeControlHelper implements ChannelControlHelper {
  /** In the order of their making, released ones too. */
  readonly made: FakeSubchannel[] = [];
  readonly published: Published[] = [];
  /** The arguments that the last subchannel was made with. */
  args: ChannelOptions = {};
  /** The state that the next subchannels are found in, as pooled ones may be connected already. */
  initial: connectivityState = connectivityState.IDLE;
  reresolutions = 0;
  readonly #children: string[] = [];

  /** Names of channelz children, sorted. */
  get children(): string[] {
    return [...this.#children].sort();
  }

  createSubchannel(address: Address, args: ChannelOptions): FakeSubchannel {
    const text = 'port' in address ? `${address.host}:${address.port}` : address.path;
    const subchannel = new FakeSubchannel(text, this.initial);
    this.args = args;
    this.made.push(subchannel);
    return subchannel;
  }

  updateState(state: connectivityState, picker: Picker, error: string | null): void {
    this.published.push({ state: connectivityState[state] as Published['state'], picker, error });
  }

  requestReresolution(): void {
    this.reresolutions += 1;
  }

  addChannelzChild({ name }: ChannelzChild): void {
    this.#children.push(name);
  }

  removeChannelzChild({ name }: ChannelzChild): void {
    const at = this.#children.indexOf(name);
    if (at === -1) throw new Error(`${name} is no channelz child`);
    this.#children.splice(at, 1);
  }
}
