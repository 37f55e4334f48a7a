/**
 * A map by host, port and connection. Two levels, because joining them into one text at each look-up costs more than the
 * look-up.
 */
import type { EndpointAddress } from './endpoint-address.js';

/** Ports are less than this, so that a port and the number of a connection make one key. */
const PORTS = 65_536;

export class AddressMap<T> {
  /** By `keyOf`: nearly always all addresses have one port. */
  readonly #byKey = new Map<number, Map<string, T>>();
  /** The level of the last look-up. */
  #lastKey = -1;
  #lastByHost: Map<string, T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(address: EndpointAddress): T | undefined {
    const key = keyOf(address);
    if (key !== this.#lastKey || this.#lastByHost === undefined) {
      this.#lastKey = key;
      this.#lastByHost = this.#byKey.get(key);
    }
    return this.#lastByHost?.get(address.host);
  }

  set(address: EndpointAddress, value: T): void {
    const key = keyOf(address);
    const byHost = this.#byKey.get(key) ?? new Map<string, T>();
    this.#byKey.set(key, byHost);
    if (!byHost.has(address.host)) this.#size += 1;
    byHost.set(address.host, value);
  }

  delete(address: EndpointAddress): void {
    const key = keyOf(address);
    const byHost = this.#byKey.get(key);
    if (!byHost?.delete(address.host)) return;
    this.#size -= 1;
    if (byHost.size > 0) return;
    this.#byKey.delete(key);
    this.#lastByHost = undefined;
  }

  clear(): void {
    this.#byKey.clear();
    this.#lastByHost = undefined;
    this.#size = 0;
  }

  /** In no particular order. */
  values(): Iterable<T> {
    const maps = [...this.#byKey.values()];
    // Nearly always there is one port.
    return maps.length === 1 && maps[0] ? maps[0].values() : maps.flatMap((byHost) => [...byHost.values()]);
  }
}

function keyOf({ port, connection }: EndpointAddress): number {
  return connection === undefined ? port : connection * PORTS + port;
}
