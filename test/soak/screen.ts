/** Progress: one line that is written anew on a terminal, a line now and then elsewhere. */
import type { WriteStream } from 'node:tty';

const PLAIN_EVERY_MS = 10_000;

export class Screen {
  readonly #out: WriteStream;
  #line = '';
  #lastPlainAt = Number.NEGATIVE_INFINITY;

  constructor(out: WriteStream) {
    this.#out = out;
  }

  /** What stands for good. */
  print(...lines: string[]): void {
    this.#clear();
    for (const line of lines) this.#out.write(`${line}\n`);
    this.#draw();
  }

  /** How it goes. As often as one likes. */
  progress(line: string): void {
    if (this.#out.isTTY) {
      this.#clear();
      this.#line = line;
      this.#draw();
      return;
    }
    const now = performance.now();
    if (now - this.#lastPlainAt < PLAIN_EVERY_MS) return;
    this.#lastPlainAt = now;
    this.#out.write(`${line}\n`);
  }

  /** The last progress line stays. */
  end(): void {
    if (this.#line !== '') this.#out.write('\n');
    this.#line = '';
    this.#lastPlainAt = Number.NEGATIVE_INFINITY;
  }

  #draw(): void {
    // One column is left free: some terminals wrap as soon as the last one is written.
    if (this.#line !== '') this.#out.write(this.#line.slice(0, (this.#out.columns || 100) - 1));
  }

  #clear(): void {
    if (this.#line !== '') this.#out.write('\r\x1b[K');
  }
}

export const count = (value: number): string => Math.round(value).toLocaleString('en');

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** `1:02:03` or `02:03`. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
