/** A map by host and port. Two levels, because joining both into one text at each look-up costs more than the look-up. */
import type { Address } from '../address.js';

export class AddressMap<T> {
  readonly #byPort = new Map<number, Map<string, T>>();
  /** The level of the last look-up: nearly always all addresses have one port. */
  #lastPort = -1;
  #lastByHost: Map<string, T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get({ host, port }: Address): T | undefined {
    if (port !== this.#lastPort || this.#lastByHost === undefined) {
      this.#lastPort = port;
      this.#lastByHost = this.#byPort.get(port);
    }
    return this.#lastByHost?.get(host);
  }

  set({ host, port }: Address, value: T): void {
    const byHost = this.#byPort.get(port) ?? new Map<string, T>();
    this.#byPort.set(port, byHost);
    if (!byHost.has(host)) this.#size += 1;
    byHost.set(host, value);
  }

  delete({ host, port }: Address): void {
    const byHost = this.#byPort.get(port);
    if (!byHost?.delete(host)) return;
    this.#size -= 1;
    if (byHost.size > 0) return;
    this.#byPort.delete(port);
    this.#lastByHost = undefined;
  }

  clear(): void {
    this.#byPort.clear();
    this.#lastByHost = undefined;
    this.#size = 0;
  }

  /** In no particular order. */
  values(): Iterable<T> {
    const maps = [...this.#byPort.values()];
    // Nearly always there is one port.
    return maps.length === 1 && maps[0] ? maps[0].values() : maps.flatMap((byHost) => [...byHost.values()]);
  }
}
