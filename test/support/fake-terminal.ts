/**
 * A terminal in memory: takes what a program writes, and tells what a person would see. It understands what lib/cli
 * writes and throws at anything else, so that a new sequence is added here before it is relied on.
 */
import assert from 'node:assert/strict';
import type { Terminal } from '../../lib/cli/command.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with one.
const SEQUENCE = /\x1b\[(\??)([\d;]*)([A-Za-z])/y;

export class FakeTerminal implements Terminal {
  columns: number;
  rows: number;
  /** What was written so far, piece by piece. */
  readonly written: string[] = [];
  cursorHidden = false;
  wraps = true;
  /** On the alternate screen. */
  alternate = false;
  /** Colours and bold; false after every frame that ends what it begins. */
  styled = false;
  #screen: string[][] = [];
  #main: string[][] = [];
  #row = 0;
  #column = 0;
  readonly #listeners = new Set<() => void>();

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#screen = this.#blank();
  }

  /** What stands on each row, blanks on the right left out. */
  get lines(): string[] {
    return this.#screen.map((row) => row.join('').trimEnd());
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  onResize(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As a real one does: rows and columns that are lost take their text along. */
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    const old = this.#screen;
    this.#screen = this.#blank();
    for (const [row, cells] of this.#screen.entries())
      for (const column of cells.keys()) cells[column] = old[row]?.[column] ?? ' ';
    this.#row = Math.min(this.#row, rows - 1);
    this.#column = Math.min(this.#column, columns - 1);
    for (const listener of [...this.#listeners]) listener();
  }

  readonly write = (text: string): void => {
    this.written.push(text);
    for (let index = 0; index < text.length; ) {
      SEQUENCE.lastIndex = index;
      const match = SEQUENCE.exec(text);
      if (match) {
        this.#obey(match[1] === '?', match[2] ?? '', match[3] ?? '');
        index = SEQUENCE.lastIndex;
        continue;
      }
      const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
      index += character.length;
      this.#put(character);
    }
  };

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') {
      if (this.#row === this.rows - 1) {
        this.#screen.shift();
        this.#screen.push(Array.from({ length: this.columns }, () => ' '));
      } else this.#row += 1;
      if (this.wraps) this.#column = 0;
    } else {
      assert.ok(character >= ' ', `control character ${JSON.stringify(character)}`);
      if (this.#column === this.columns) {
        this.#column = 0;
        this.#put('\n');
      }
      const row = this.#screen[this.#row];
      if (row) row[this.#column] = character;
      // Without wrapping the cursor stays on the last column, and the next character replaces that one.
      this.#column = this.wraps ? this.#column + 1 : Math.min(this.columns - 1, this.#column + 1);
    }
  }

  #obey(isPrivate: boolean, parameters: string, command: string): void {
    if (isPrivate) this.#switch(Number(parameters), command === 'h');
    else if (command === 'H') {
      assert.equal(parameters, '');
      this.#row = 0;
      this.#column = 0;
    } else if (command === 'K') {
      assert.equal(parameters, '');
      this.#screen[this.#row]?.fill(' ', this.#column);
    } else if (command === 'J') {
      assert.equal(parameters, '');
      this.#screen[this.#row]?.fill(' ', this.#column);
      for (const row of this.#screen.slice(this.#row + 1)) row.fill(' ');
    } else if (command === 'm') this.styled = !['0', '22', '39'].includes(parameters);
    else assert.fail(`sequence ${parameters}${command}`);
  }

  #switch(mode: number, on: boolean): void {
    if (mode === 7) this.wraps = on;
    else if (mode === 25) this.cursorHidden = !on;
    else if (mode === 1049) {
      assert.notEqual(on, this.alternate, 'the alternate screen is entered and left once');
      this.alternate = on;
      if (on) this.#main = this.#screen;
      this.#screen = on ? this.#blank() : this.#main;
      if (on) return;
      this.#row = 0;
      this.#column = 0;
    } else assert.equal(mode, 2026);
  }

  #blank(): string[][] {
    return Array.from({ length: this.rows }, () => Array.from({ length: this.columns }, () => ' '));
  }
}
