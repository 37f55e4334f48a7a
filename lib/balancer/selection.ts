/**
 * Which connections a whole set calls for: to which pods (the option `balance.subset`), and how many to each
 * (`balance.connections`). The answer depends on what becomes of the connections, so it changes while the set does not.
 */
import type { Address } from '../address.js';
import type { Policy } from '../picker/policy.js';
import type { Runtime, Timer } from '../runtime.js';
import { ConnectionScale } from './connection-scale.js';
import type { Endpoint } from './endpoint.js';
import { type EndpointAddress, nameOf } from './endpoint-address.js';
import type { EndpointStateKind } from './endpoint-state.js';
import { type PodCondition, Subset } from './subset.js';

export interface SelectionSettings {
  /** Pods to connect to, of a set that is ranked; null: all. */
  readonly subsetSize: number | null;
  /** Connections to one pod, at most. */
  readonly connections: number;
}

export interface SelectionContext {
  readonly runtime: Runtime;
  readonly settings: SelectionSettings;
  streamLimit(endpoint: Endpoint): number | null;
  endpointAt(address: EndpointAddress): Endpoint | undefined;
  /** `select` gives another result than before. Never called from within a change of state or a pick. */
  onChange(): void;
  /** Calls that wait for a connection need a new picker. */
  onGivenUp(): void;
}

export class Selection {
  /** Pods that were selected last. */
  pods = 0;
  readonly #context: SelectionContext;
  readonly #subset: Subset | null;
  readonly #scale: ConnectionScale | null;
  #turn: Timer | null = null;
  /** The whole set, and its names once they were needed. */
  #set: readonly Address[] = [];
  #names: ReadonlySet<string> | null = null;

  constructor(context: SelectionContext) {
    this.#context = context;
    const { runtime, settings } = context;
    const { subsetSize, connections } = settings;
    this.#subset = subsetSize === null ? null : new Subset(runtime.clock, subsetSize, () => this.#schedule());
    this.#scale =
      connections === 1
        ? null
        : new ConnectionScale({
            runtime,
            most: connections,
            streamLimit: (endpoint) => context.streamLimit(endpoint),
            onChange: () => this.#schedule(),
            onGivenUp: () => context.onGivenUp(),
          });
  }

  /** null where the settings ask for one connection to every pod: there is nothing to select. */
  static of(context: SelectionContext): Selection | null {
    const { subsetSize, connections } = context.settings;
    return subsetSize === null && connections === 1 ? null : new Selection(context);
  }

  /** What each pod's connections are to a policy: one endpoint. */
  policyOver(inner: Policy): Policy {
    return this.#scale?.policyOver(inner) ?? inner;
  }

  select(set: readonly Address[]): readonly EndpointAddress[] {
    this.#set = set;
    this.#names = null;
    const selected = this.#subset?.select(set, (address) => this.#conditionOf(address)) ?? set;
    this.pods = selected.length;
    return this.#scale?.expand(selected, set.length === 1) ?? selected;
  }

  /** It is in the whole set, though it may not be selected. */
  lists(address: Address): boolean {
    this.#names ??= new Set(this.#set.map(nameOf));
    return this.#names.has(nameOf(address));
  }

  /** Before the picker that follows from it is made. */
  onStateChange(endpoint: Endpoint, previous: EndpointStateKind): void {
    this.#scale?.onStateChange(endpoint, previous);
    if (this.#subset) this.#schedule();
  }

  stop(): void {
    this.#turn?.cancel();
    this.#subset?.stop();
    this.#scale?.stop();
  }

  /** Once for all that happens in this turn of the event loop. */
  #schedule(): void {
    this.#turn ??= this.#context.runtime.clock.setTurn(() => {
      this.#turn = null;
      this.#context.onChange();
    });
  }

  #conditionOf(address: Address): PodCondition {
    const { endpointAt, settings } = this.#context;
    let condition = conditionOf(endpointAt(address));
    for (let connection = 1; connection < settings.connections; connection++) {
      const further = endpointAt({ ...address, connection });
      if (further && conditionOf(further) === 'good') condition = 'good';
    }
    return condition;
  }
}

function conditionOf(endpoint: Endpoint | undefined): PodCondition {
  switch (endpoint?.state) {
    case 'ready':
      return 'good';
    case 'draining':
      return endpoint.usable ? 'good' : 'failing';
    case 'backoff':
    case 'unhealthy':
      return 'failing';
    default:
      return 'pending';
  }
}
