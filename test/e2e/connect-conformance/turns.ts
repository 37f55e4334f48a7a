/** Lets a writer wait until a reader has read as often. */
export class Turns {
  #read = 0;
  #written = 0;
  #ended = false;
  #waiting: (() => void) | null = null;

  /** Resolves when `next` has been called as often as this, or at the end. */
  async wait(): Promise<void> {
    this.#written += 1;
    if (this.#ended || this.#read >= this.#written) return;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }

  next(): void {
    this.#read += 1;
    if (this.#read >= this.#written) this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = null;
  }
}
