/** How many queries were sent in each second of a simulation. */

export class QueryRate {
  readonly #seconds: number[] = [];

  count(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    while (this.#seconds.length <= second) this.#seconds.push(0);
    this.#seconds[second] = (this.#seconds[second] ?? 0) + 1;
  }

  /**
   * Queries of each second from `fromMs` to `toMs`.
   * @throws RangeError unless both are whole seconds.
   */
  between(fromMs: number, toMs: number): number[] {
    const [from, to] = [fromMs / 1_000, toMs / 1_000];
    if (!Number.isInteger(from) || !Number.isInteger(to))
      throw new RangeError(`${fromMs} or ${toMs} is no whole second`);
    return Array.from({ length: to - from }, (_, index) => this.#seconds[from + index] ?? 0);
  }
}
