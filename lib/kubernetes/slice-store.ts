/**
 * The EndpointSlices of one Service as the API server told of them, and the versions to list and to watch from
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
 */
import { type EndpointSlice, readSlice } from './endpoint-slice.js';
import { RequestFailure } from './request-failure.js';

export class SliceStore {
  readonly #slices = new Map<string, EndpointSlice>();
  #version: string | null = null;
  /** The newest version seen: a list may not be older, although another API server may answer it. */
  #seenVersion: string | null = null;
  #listNewest = false;

  get slices(): ReadonlyMap<string, EndpointSlice> {
    return this.#slices;
  }

  /** The version to watch from; null: the objects have to be listed first. */
  get version(): string | null {
    return this.#version;
  }

  /** The objects are to be listed before the next watch. Those that are known stay. */
  requireList(): void {
    this.#version = null;
  }

  /** The next list has to be of the newest state: the version seen is one that the servers do not have. */
  requireNewest(): void {
    this.#listNewest = true;
  }

  /** Parameters of the next list. */
  get listQuery(): ReadonlyMap<string, string> {
    if (this.#listNewest) return new Map();
    // Any state that the API server has: it need not ask etcd.
    if (this.#seenVersion === null) return new Map([['resourceVersion', '0']]);
    return new Map([
      ['resourceVersion', this.#seenVersion],
      ['resourceVersionMatch', 'NotOlderThan'],
    ]);
  }

  /** @throws {RequestFailure} if it is no list. */
  replace(listed: unknown): void {
    const list = listed as { metadata?: { resourceVersion?: unknown }; items?: unknown } | null;
    const version = list?.metadata?.resourceVersion;
    if (typeof version !== 'string' || !Array.isArray(list?.items))
      throw new RequestFailure('what was listed is no list of EndpointSlices');
    this.#listNewest = false;
    this.#slices.clear();
    for (const item of list.items) this.#put(item);
    this.#version = version;
    this.#seenVersion = version;
  }

  /**
   * Returns whether the slices changed.
   *
   * @throws {RequestFailure} for an event of the type ERROR.
   */
  apply(event: unknown): boolean {
    const { type, object } = event as { type?: unknown; object?: unknown };
    if (type === 'ERROR') {
      const { code, message } = (object ?? {}) as { code?: unknown; message?: unknown };
      const status = typeof code === 'number' ? code : null;
      throw new RequestFailure(`${status ?? 'an error'} ${typeof message === 'string' ? message : ''}`, { status });
    }
    const { name, resourceVersion } =
      (object as { metadata?: { name?: unknown; resourceVersion?: unknown } })?.metadata ?? {};
    if (typeof resourceVersion === 'string') {
      this.#version = resourceVersion;
      this.#seenVersion = resourceVersion;
    }
    if (type === 'DELETED') return typeof name === 'string' && this.#slices.delete(name);
    if (type === 'ADDED' || type === 'MODIFIED') {
      if (typeof name === 'string') this.#slices.delete(name);
      this.#put(object);
      return true;
    }
    return false;
  }

  #put(object: unknown): void {
    const slice = readSlice(object);
    if (slice) this.#slices.set(slice.name, slice);
  }
}
