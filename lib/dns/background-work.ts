/**
 * Queries that go on after the resolution that began them, because only a later resolution needs their results. One
 * piece of work at a time.
 */
export class BackgroundWork {
  /** Of the last work, also after its end: it may have begun further work that goes on with its signal. */
  #abort: AbortController | null = null;
  #busy = false;
  /** Takes the listeners off the signals that are followed. */
  #unfollow = new AbortController();

  get busy(): boolean {
    return this.#busy;
  }

  /**
   * Does nothing where the signal is aborted already.
   *
   * @param work rejects with the reason of its signal when that is aborted. Any other rejection surfaces as unhandled.
   */
  start(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): void {
    if (signal.aborted) return;
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    this.#busy = true;
    this.follow(signal);
    work(abort.signal)
      .catch((reason: unknown) => {
        if (!abort.signal.aborted) throw reason;
      })
      .finally(() => {
        if (this.#abort === abort) this.#busy = false;
      });
  }

  /** From now on this signal ends the work too: that of the last resolution is the one that its caller still aborts. */
  follow(signal: AbortSignal): void {
    const abort = this.#abort;
    if (abort === null) return;
    // Without work one signal is enough, so that listeners do not add up.
    if (!this.#busy) this.#unfollowAll();
    const stop = (): void => abort.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: this.#unfollow.signal });
  }

  stop(): void {
    this.#unfollowAll();
    this.#abort?.abort();
    this.#abort = null;
    this.#busy = false;
  }

  #unfollowAll(): void {
    this.#unfollow.abort();
    this.#unfollow = new AbortController();
  }
}
