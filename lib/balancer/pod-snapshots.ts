/**
 * Snapshots by pod, where several connections may lead to one: a pod is one entry, whose counts are those of all its
 * connections, and never fall when a connection is closed.
 */
import type { CallCounts, CountedCalls } from '../telemetry/released-pods.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';

const NONE: CallCounts = { inFlight: 0, started: 0, succeeded: 0, failed: 0 };
const STATES: readonly EndpointSnapshot['state'][] = ['ready', 'connecting', 'backoff', 'idle', 'draining'];

export class PodSnapshots {
  /** Of closed connections to pods that have others, by address. */
  readonly #closed = new Map<string, ClosedConnections>();

  /**
   * @param last no other connection to the pod is held.
   * @returns the calls of all connections to the pod that were closed.
   */
  onReleased(connection: CountedCalls & { readonly name: string }, last: boolean): CountedCalls {
    const { name } = connection;
    const closed = this.#closed.get(name) ?? new ClosedConnections();
    closed.add(connection);
    if (last) this.#closed.delete(name);
    else this.#closed.set(name, closed);
    return closed;
  }

  /** The pods in the order of their first connections. */
  merge(snapshots: readonly EndpointSnapshot[]): EndpointSnapshot[] {
    const byAddress = new Map<string, EndpointSnapshot[]>();
    for (const snapshot of snapshots) {
      const known = byAddress.get(snapshot.address);
      if (known) known.push(snapshot);
      else byAddress.set(snapshot.address, [snapshot]);
    }
    return [...byAddress.values()].map((connections) => this.#merged(connections));
  }

  #merged(connections: readonly EndpointSnapshot[]): EndpointSnapshot {
    const ranked = connections.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
    const [shown, ...others] = ranked as [EndpointSnapshot, ...EndpointSnapshot[]];
    const closed = this.#closed.get(shown.address)?.counts ?? NONE;
    const merged: EndpointSnapshot = { ...shown, ...others.reduce<CallCounts>(sum, sum(shown, closed)) };
    const open = ranked.filter(({ state }) => state === shown.state).length;
    const connected = shown.state === 'ready' || shown.state === 'draining';
    return connected && open > 1 ? { ...merged, connections: open } : merged;
  }
}

/** Their calls may still end. */
class ClosedConnections implements CountedCalls {
  /** Of connections without calls in flight. */
  #ended = NONE;
  readonly #open = new Set<CountedCalls>();

  add(connection: CountedCalls): void {
    this.#open.add(connection);
  }

  get counts(): CallCounts {
    let total = this.#ended;
    for (const connection of this.#open) {
      const { counts } = connection;
      total = sum(total, counts);
      if (counts.inFlight > 0) continue;
      this.#open.delete(connection);
      this.#ended = sum(this.#ended, counts);
    }
    return total;
  }
}

function sum(a: CallCounts, b: CallCounts): CallCounts {
  return {
    inFlight: a.inFlight + b.inFlight,
    started: a.started + b.started,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
  };
}
