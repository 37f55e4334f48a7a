/**
 * Queries that go on after the resolution that began them, because only a later resolution needs their results. One
 * piece of work at a time.
 */
export class BackgroundWork {
  #abort: AbortController | null = null;

  get busy(): boolean {
    return this.#abort !== null;
  }

  /**
   * Does nothing where the signal is aborted already.
   *
   * @param work rejects with the reason of its signal when that is aborted. Any other rejection surfaces as unhandled.
   */
  start(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): void {
    if (signal.aborted) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.follow(signal);
    work(abort.signal)
      .catch((reason: unknown) => {
        if (!abort.signal.aborted) throw reason;
      })
      .finally(() => {
        if (this.#abort === abort) this.#abort = null;
        // Takes the listeners off the signals that were followed.
        abort.abort();
      });
  }

  /** From now on this signal ends the work too: that of the last resolution is the one that its caller still aborts. */
  follow(signal: AbortSignal): void {
    const abort = this.#abort;
    if (abort === null) return;
    const stop = (): void => abort.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: abort.signal });
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }
}
