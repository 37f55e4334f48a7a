/**
 * How many connections lead to each pod (compare gRFC A105): one; another, up to a maximum, when the calls on all of them
 * are near what they take; and one less when fewer would do for a while. Where the whole set is one address, such as a
 * cluster IP, the maximum at once: each connection may lead to another pod, and so each is an endpoint of its own.
 */
import type { Address } from '../address.js';
import type { PickableEndpoint, Policy } from '../picker/policy.js';
import type { Runtime, Timer } from '../runtime.js';
import type { Endpoint } from './endpoint.js';
import { type EndpointAddress, nameOf } from './endpoint-address.js';
import type { EndpointStateKind } from './endpoint-state.js';
import { Pod, type PodContext } from './pod.js';

/** Calls wait for a connection that is being opened, and no longer than this. */
const PATIENCE_MS = 1_000;
/** How often a connection that is not needed is looked for, and how many times on end it must be found so. */
const CHECK_MS = 10_000;
const CHECKS = 3;
/** The calls must fill so much of one connection less at most, or it would soon be opened again. */
const SPARE = 0.5;

export interface ConnectionScaleContext extends Pick<PodContext, 'streamLimit'> {
  readonly runtime: Pick<Runtime, 'turns'> & { readonly clock: Pick<Runtime['clock'], 'setTimer' | 'setTurn'> };
  /** At least 2. */
  readonly most: number;
  /** `expand` gives another result than before. Also called by a pick, so it must not act on it at once. */
  onChange(): void;
  /** Calls that wait must not wait any longer: they need a new picker. */
  onGivenUp(): void;
}

export class ConnectionScale implements PodContext {
  readonly turns: Runtime['turns'];
  readonly #context: ConnectionScaleContext;
  readonly #pods = new Map<string, Pod>();
  readonly #openings = new Map<Pod, Timer>();
  #settling: Timer | null = null;
  #single = false;
  /** The connections of a set of one address are on their way, and calls may wait for them. */
  #opensAll: Timer | null = null;
  #check: Timer | null = null;

  constructor(context: ConnectionScaleContext) {
    this.#context = context;
    this.turns = context.runtime.turns;
  }

  /**
   * @param selected the pods to connect to.
   * @param single they are a set of one address.
   */
  expand(selected: readonly Address[], single: boolean): readonly EndpointAddress[] {
    if (single !== this.#single) {
      this.#single = single;
      for (const pod of [...this.#pods.values()]) this.#forget(pod);
      this.#opensAll?.cancel();
      this.#opensAll = single ? this.#context.runtime.clock.setTimer(PATIENCE_MS, () => this.#giveUpAll()) : null;
    }
    if (!single) this.#forgetAllBut(selected);
    return selected.flatMap((address) => {
      const wanted = single ? this.#context.most : (this.#pods.get(nameOf(address))?.wanted ?? 1);
      const further = Array.from({ length: wanted - 1 }, (_, index) => ({ ...address, connection: index + 1 }));
      return [address, ...further];
    });
  }

  /** A policy that sees each pod as one endpoint, or each connection to the only address. */
  policyOver(inner: Policy): Policy {
    return {
      createPicker: (ready, previous, context) =>
        inner.createPicker(this.#group(ready as readonly Endpoint[]), previous, context),
    };
  }

  streamLimit(endpoint: Endpoint): number | null {
    return this.#context.streamLimit(endpoint);
  }

  onCrowded(pod: Pod): void {
    if (this.#single || pod.opening || pod.wanted >= this.#context.most || this.#pods.get(pod.name) !== pod) return;
    const { clock } = this.#context.runtime;
    pod.wanted += 1;
    pod.opening = true;
    this.#openings.set(
      pod,
      clock.setTimer(PATIENCE_MS, () => this.#giveUp(pod)),
    );
    this.#check ??= clock.setTimer(CHECK_MS, () => this.#checkNeed());
    this.#context.onChange();
  }

  /** Before the picker that follows from it is made. */
  onStateChange({ name, address, state }: Endpoint, previous: EndpointStateKind): void {
    if (this.#single && state === 'backoff') this.#giveUpAll();
    const pod = this.#pods.get(name);
    if (!pod?.opening || address.connection === undefined) return;
    if (state === 'ready' && previous !== 'unhealthy') this.#endOpening(pod);
    else if (state === 'backoff' || state === 'unhealthy') this.#giveUp(pod);
  }

  stop(): void {
    this.#check?.cancel();
    this.#settling?.cancel();
    this.#opensAll?.cancel();
    for (const timer of this.#openings.values()) timer.cancel();
    this.#openings.clear();
  }

  #group(ready: readonly Endpoint[]): readonly PickableEndpoint[] {
    const connections = new Map<Pod, Endpoint[]>();
    for (const endpoint of ready) {
      const pod = this.#podOf(this.#single ? `${endpoint.name} ${endpoint.address.connection ?? 0}` : endpoint.name);
      const known = connections.get(pod);
      if (known) known.push(endpoint);
      else connections.set(pod, [endpoint]);
    }
    for (const [pod, list] of connections) {
      pod.connections = list;
      if (this.#single) pod.opening = this.#opensAll !== null && ready.length < this.#context.most;
      pod.settled ||= this.streamLimit(list[0] as Endpoint) !== null;
      if (!pod.settled) this.#settleLater();
    }
    return [...connections.keys()];
  }

  /** grpc-js reports a connection as READY before it can be asked about it. */
  #settleLater(): void {
    this.#settling ??= this.#context.runtime.clock.setTurn(() => {
      this.#settling = null;
      for (const pod of this.#pods.values()) pod.settled ||= pod.connections.length > 0;
      this.#context.onGivenUp();
    });
  }

  #podOf(name: string): Pod {
    const known = this.#pods.get(name);
    if (known) return known;
    const pod = new Pod(name, this);
    this.#pods.set(name, pod);
    return pod;
  }

  #forgetAllBut(selected: readonly Address[]): void {
    const names = new Set(selected.map(nameOf));
    for (const [name, pod] of this.#pods) {
      if (!names.has(name)) this.#forget(pod);
    }
  }

  #forget(pod: Pod): void {
    this.#endOpening(pod);
    this.#pods.delete(pod.name);
  }

  #giveUp(pod: Pod): void {
    this.#endOpening(pod);
    this.#context.onGivenUp();
  }

  #giveUpAll(): void {
    if (this.#opensAll === null) return;
    this.#opensAll.cancel();
    this.#opensAll = null;
    this.#context.onGivenUp();
  }

  #endOpening(pod: Pod): void {
    pod.opening = false;
    this.#openings.get(pod)?.cancel();
    this.#openings.delete(pod);
  }

  #checkNeed(): void {
    let changed = false;
    let several = false;
    for (const pod of this.#pods.values()) {
      if (pod.wanted === 1) continue;
      pod.calmChecks = pod.fills((pod.wanted - 1) * SPARE) ? 0 : pod.calmChecks + 1;
      pod.resetPeak();
      if (pod.calmChecks >= CHECKS && !pod.opening) {
        pod.calmChecks = 0;
        pod.wanted -= 1;
        changed = true;
      }
      several ||= pod.wanted > 1;
    }
    this.#check = several ? this.#context.runtime.clock.setTimer(CHECK_MS, () => this.#checkNeed()) : null;
    if (changed) this.#context.onChange();
  }
}
