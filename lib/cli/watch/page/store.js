/** What the page has been told so far. A `view` replaces all of it, a `change` adds to it. */

/** @import { ChangeView, PodView, QueryView, WatchView } from '../view.js' */

export class Store {
  /** @type {WatchView | null} The last message; its lists hold only what was new. */
  last = null;
  /** @type {Map<string, PodView>} */
  pods = new Map();
  /** @type {QueryView[]} Oldest first. */
  queries = [];
  /** @type {ChangeView[]} Oldest first. */
  changes = [];
  /** From this browser's clock to the server's, in milliseconds. */
  #offset = 0;
  /** @type {number | null} Time stands still while there is no news. */
  #frozenAt = null;

  /** The server's time. */
  get now() {
    return this.#frozenAt ?? Date.now() + this.#offset;
  }

  /** @param {WatchView} view */
  replace(view) {
    this.pods.clear();
    this.queries = [];
    this.changes = [];
    this.last = null;
    this.add(view);
  }

  /**
   * @param {WatchView} view
   * @returns {boolean} false when it is of another run of the command, so that all before it is out of date.
   */
  add(view) {
    if (this.last !== null && this.last.session !== view.session) return false;
    this.#frozenAt = null;
    this.#offset = view.now - Date.now();
    this.last = view;
    for (const pod of view.pods) this.pods.set(pod.address, pod);
    for (const [address, { goneAt }] of this.pods)
      if (goneAt !== null && goneAt < view.keptFrom) this.pods.delete(address);
    this.queries = [...this.queries, ...view.queries].filter(({ at }) => at >= view.keptFrom);
    this.changes = [...this.changes, ...view.changes].filter(({ at }) => at >= view.keptFrom);
    return true;
  }

  freeze() {
    this.#frozenAt = this.now;
  }
}
