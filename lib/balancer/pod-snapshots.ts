/**
 * Snapshots by pod, where several connections may lead to one: a pod is one entry, whose counts are those of all its
 * connections, and never fall when a connection is closed.
 */
import type { EndpointSnapshot } from '../telemetry/snapshot.js';

type Counts = Pick<EndpointSnapshot, 'started' | 'succeeded' | 'failed'>;

const STATES: readonly EndpointSnapshot['state'][] = ['ready', 'connecting', 'backoff', 'idle', 'draining'];

export class PodSnapshots {
  /** Of closed connections to pods that have others, by address. */
  readonly #closed = new Map<string, Counts>();

  /** @param last no other connection to the pod is held. */
  onReleased(snapshot: EndpointSnapshot, last: boolean): void {
    const { address } = snapshot;
    if (last) this.#closed.delete(address);
    else this.#closed.set(address, sum(snapshot, this.#closed.get(address)));
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
    let merged: EndpointSnapshot = { ...shown, ...sum(shown, this.#closed.get(shown.address)) };
    for (const other of others)
      merged = { ...merged, inFlight: merged.inFlight + other.inFlight, ...sum(merged, other) };
    const open = ranked.filter(({ state }) => state === shown.state).length;
    const connected = shown.state === 'ready' || shown.state === 'draining';
    return connected && open > 1 ? { ...merged, connections: open } : merged;
  }
}

function sum(a: Counts, b: Counts | undefined): Counts {
  return {
    started: a.started + (b?.started ?? 0),
    succeeded: a.succeeded + (b?.succeeded ?? 0),
    failed: a.failed + (b?.failed ?? 0),
  };
}
