/** Keeps the values of one attribute few: the first ones stay as they are, all later ones become one value. */
export class BoundedValues {
  readonly #most: number;
  readonly #other: string;
  readonly #values = new Set<string>();

  constructor(most: number, other: string) {
    this.#most = most;
    this.#other = other;
  }

  of(value: string): string {
    if (this.#values.has(value)) return value;
    if (this.#values.size >= this.#most) return this.#other;
    this.#values.add(value);
    return value;
  }
}
