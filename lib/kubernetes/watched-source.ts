/**
 * Addresses by EndpointSlices while the watch is usable, and by DNS while it is not. DNS is asked only then. Whole sets go
 * from one to the other: what works stays in use until the other one has an answer.
 */
import type { Address } from '../address.js';
import type {
  AddressSource,
  AddressSourceContext,
  AddressUpdate,
  SetOrigin,
  SourceStatus,
  Subscription,
} from '../discovery/address-source.js';
import type { HeadlessError } from '../errors.js';
import type { Timer } from '../runtime.js';
import type { DiscoveryStatus } from '../telemetry/snapshot.js';
import { selectAddresses } from './endpoint-slice.js';
import type { SliceWatch } from './slice-watch.js';
import { noEndpoints, noSlices, withReason } from './source-errors.js';

interface Subscriber {
  readonly listener: (update: AddressUpdate) => void;
  ready: boolean;
  /** Of the set that it was told last. */
  version: number | null;
}

/** DNS in use. */
interface DnsTurn {
  readonly subscription: Subscription;
  /** On the clock. */
  readonly since: number;
}

/** At a start, DNS is asked if the watch has no answer by then. */
const HEAD_START_MS = 300;
/** After a lost connection: an event that tells of it is on its way. Doubled each time that the list tells nothing new. */
const FIRST_CHECK_MS = 1_000;
const MOST_CHECK_MS = 60_000;

export class WatchedSource implements AddressSource {
  readonly #watch: SliceWatch;
  readonly #portName: string | null;
  readonly #context: AddressSourceContext;
  readonly #subscribers = new Set<Subscriber>();
  #endWatch: (() => void) | null = null;
  #headStart: Timer | null = null;
  #dns: DnsTurn | null = null;
  /** That DNS has no addresses, while the first attempt of the watch is under way. */
  #withheld: AddressUpdate | null = null;
  /** Set while it is not sure that the watch still hears of changes. */
  #check: Timer | null = null;
  #checkMs = FIRST_CHECK_MS;
  #addresses: readonly Address[] = [];
  /** Counts the changes of the set. 0: there was no answer yet. */
  #version = 0;
  #error: HeadlessError | null = null;
  #zoneFallback: string | null = null;
  #origin: SetOrigin = { source: null, error: null };
  #since: number | null = null;

  constructor(watch: SliceWatch, portName: string | null, context: AddressSourceContext) {
    this.#watch = watch;
    this.#portName = portName;
    this.#context = context;
  }

  subscribe(listener: (update: AddressUpdate) => void): Subscription {
    const subscriber: Subscriber = { listener, ready: false, version: null };
    this.#subscribers.add(subscriber);
    if (this.#endWatch === null) this.#start();
    else if (this.#origin.source !== null) queueMicrotask(() => this.#report(subscriber));
    this.#tellReady();
    return {
      requestReresolution: () => {
        if (this.#subscribers.has(subscriber)) this.#requestReresolution();
      },
      refresh: () => (this.#subscribers.has(subscriber) ? this.#refresh() : Promise.resolve()),
      setReady: (ready) => {
        if (subscriber.ready === ready) return;
        subscriber.ready = ready;
        this.#tellReady();
        if (!ready) this.#requestReresolution();
      },
      end: () => {
        if (!this.#subscribers.delete(subscriber)) return;
        if (this.#subscribers.size === 0) this.#stop();
        else this.#tellReady();
      },
    };
  }

  get counters(): AddressSource['counters'] {
    return this.#context.fallback.counters;
  }

  /** DNS is at rest while the slices are in use: then its last answer, however old, is no sign of trouble. */
  get status(): SourceStatus {
    const { status } = this.#context.fallback;
    return this.#dns ? status : { ...status, ageMs: null, failures: 0, nextQueryAt: null };
  }

  get discovery(): DiscoveryStatus {
    const error = this.#watch.error ?? (this.#origin.source === 'dns' ? this.#origin.error : this.#error);
    const running = this.#endWatch !== null;
    return {
      source: running ? this.#origin.source : null,
      since: running ? this.#since : null,
      error: error?.message ?? null,
      errorCode: error?.code ?? null,
      failures: this.#watch.failures,
      nextAttemptAt: this.#watch.nextAttemptAt,
    };
  }

  get lastError(): HeadlessError | null {
    return this.#error ?? this.#watch.error;
  }

  #start(): void {
    const { clock } = this.#context;
    this.#headStart = clock.setTimer(HEAD_START_MS, () => {
      this.#headStart = null;
      if (this.#origin.source === null) this.#startDns();
    });
    this.#endWatch = this.#watch.subscribe(() => this.#onWatch());
    // Another source may have the same watch for long.
    if (this.#watch.usable || this.#watch.error) queueMicrotask(() => this.#onWatch());
  }

  #stop(): void {
    this.#endWatch?.();
    this.#endWatch = null;
    this.#headStart?.cancel();
    this.#check?.cancel();
    this.#check = null;
    this.#endDns();
    this.#setOrigin({ source: null, error: null });
  }

  #onWatch(): void {
    if (this.#endWatch === null) return;
    if (!this.#watch.usable) {
      if (this.#watch.error) this.#useDns(this.#watch.error);
    } else if (this.#watch.slices.size === 0) this.#useDns(noSlices(this.#watch.name));
    else this.#useSlices();
  }

  #useSlices(): void {
    const { family, zone, empty } = this.#context;
    this.#endDns();
    this.#headStart?.cancel();
    const selected = selectAddresses(this.#watch.slices.values(), { portName: this.#portName, family, zone });
    const isEmpty = selected.addresses.length === 0;
    const before = this.#origin.source;
    const versionBefore = this.#version;
    const errorBefore = this.#error;
    if (!isEmpty || empty === 'drop' || this.#version === 0) this.#setAddresses(selected.addresses);
    this.#error = isEmpty ? noEndpoints(this.#watch.name, this.#portName) : null;
    const rezoned = this.#zoneFallback !== selected.zoneFallback;
    this.#zoneFallback = selected.zoneFallback;
    this.#setOrigin({ source: 'endpointslices', error: null });
    if (this.#version !== versionBefore) this.#checkMs = FIRST_CHECK_MS;
    else if (before === 'endpointslices' && !rezoned && (this.#error === null) === (errorBefore === null)) return;
    this.#reportToAll();
  }

  /** The set stays in use until DNS has one. */
  #useDns(error: HeadlessError): void {
    this.#check?.cancel();
    this.#check = null;
    const isNew = this.#origin.source !== 'dns';
    this.#setOrigin({ source: 'dns', error });
    this.#startDns();
    if (this.#withheld) this.#onDns(this.#withheld);
    // Without any set this would make calls fail before DNS has answered.
    else if (isNew && this.#addresses.length > 0) this.#reportToAll();
  }

  #startDns(): void {
    if (this.#dns !== null) return;
    const { clock, fallback } = this.#context;
    const subscription = fallback.subscribe((update) => this.#onDns(update));
    this.#dns = { subscription, since: clock.now() };
    this.#tellReady();
  }

  #endDns(): void {
    this.#dns?.subscription.end();
    this.#dns = null;
    this.#withheld = null;
  }

  #onDns(update: AddressUpdate): void {
    if (this.#dns === null) return;
    const { addresses, error, zoneFallback = null } = update;
    // The watch may have the answer in a moment: until its attempt has failed, that DNS has none is no reason to fail calls.
    // Each request of an attempt has a deadline, so calls wait for some seconds at most.
    const isFirstAttempt = this.#origin.source === null && this.#watch.error === null;
    this.#withheld = isFirstAttempt && addresses.length === 0 ? update : null;
    if (this.#withheld) return;
    const { fallback, clock, empty } = this.#context;
    // A set that DNS told before the watch was in use is older than the one in use.
    const { ageMs, rcode } = fallback.status;
    const isFresh = ageMs !== null && ageMs <= clock.now() - this.#dns.since + 1;
    const isDenied = error?.code === 'ERR_HEADLESS_DNS_NXDOMAIN' || error?.code === 'ERR_HEADLESS_DNS_NODATA';
    const dropped = addresses.length === 0 && isDenied && rcode !== null && empty === 'drop';
    if (this.#version === 0 || (addresses.length > 0 && isFresh) || dropped) this.#setAddresses(addresses);
    if (this.#origin.source === null) this.#setOrigin({ source: 'dns', error: this.#watch.error });
    this.#error = addresses.length === 0 ? withReason(error, this.#origin.error) : error;
    this.#zoneFallback = zoneFallback;
    this.#reportToAll();
  }

  #setOrigin(origin: SetOrigin): void {
    if (origin.source !== this.#origin.source) this.#since = this.#context.clock.wallTime();
    this.#origin = origin;
  }

  #setAddresses(addresses: readonly Address[]): void {
    if (this.#version > 0 && sameAddresses(this.#addresses, addresses)) return;
    this.#addresses = addresses;
    this.#version += 1;
  }

  #reportToAll(): void {
    for (const subscriber of [...this.#subscribers]) this.#report(subscriber);
  }

  #report(subscriber: Subscriber): void {
    if (!this.#subscribers.has(subscriber) || this.#origin.source === null) return;
    const changed = subscriber.version !== this.#version;
    subscriber.version = this.#version;
    const update = { addresses: this.#addresses, changed, error: this.#error };
    try {
      subscriber.listener({ ...update, zoneFallback: this.#zoneFallback, origin: this.#origin });
    } catch (error) {
      // A listener's own error must surface, and must not stop the updates of all others.
      process.nextTick(() => {
        throw error;
      });
    }
  }

  #tellReady(): void {
    this.#dns?.subscription.setReady([...this.#subscribers].every(({ ready }) => ready));
  }

  /**
   * A connection was lost. The watch tells why in a moment; where it tells nothing, it may hang, which only a request
   * shows. So does a server that restarts, which is no news: such requests become rarer.
   */
  #requestReresolution(): void {
    if (this.#dns !== null) this.#dns.subscription.requestReresolution();
    if (!this.#watch.usable || this.#check !== null) return;
    const { clock } = this.#context;
    const askedAt = clock.now();
    this.#check = clock.setTimer(this.#checkMs, () => {
      this.#check = null;
      if (!this.#watch.usable || this.#watch.heardAt > askedAt) return;
      this.#checkMs = Math.min(2 * this.#checkMs, MOST_CHECK_MS);
      void this.#watch.relist();
    });
  }

  async #refresh(): Promise<void> {
    if (this.#dns === null) await this.#watch.relist();
    // It may be in use since.
    await this.#dns?.subscription.refresh();
  }
}

/** Order does not count. */
function sameAddresses(before: readonly Address[], after: readonly Address[]): boolean {
  if (before.length !== after.length) return false;
  const keys = new Set(before.map(keyOf));
  return after.every((address) => keys.has(keyOf(address)));
}

function keyOf({ host, port, zone, weight }: Address): string {
  return `${host} ${port} ${zone ?? ''} ${weight ?? ''}`;
}
