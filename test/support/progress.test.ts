import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './fake-clock.js';
import { ProgressDisplay, type ProgressOutput } from './progress.js';
import { cut, pad, wrap } from './terminal-text.js';

/** A terminal that applies the escape sequences which the display uses. */
class FakeTerminal implements ProgressOutput {
  readonly isTTY: boolean;
  columns = 20;
  rows = 10;
  cursorHidden = false;
  readonly resizeListeners = new Set<() => void>();
  /** The last row is the cursor's. */
  readonly screen: string[] = [''];

  constructor(isTTY = true) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    let rest = text;
    while (rest !== '') {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with one.
      const [sequence, argument, command] = /^\x1b\[(\??\d*)([A-Za-z])/.exec(rest) ?? [rest[0] as string];
      rest = rest.slice(sequence.length);
      if (sequence === '\n') this.screen.push('');
      else if (command === 'A') this.screen.splice(-1 - Number(argument), Number.POSITIVE_INFINITY, '');
      else if (command === 'l' || command === 'h') this.cursorHidden = command === 'l';
      else if (command === undefined) this.screen[this.screen.length - 1] += sequence;
    }
  }

  on(_event: 'resize', listener: () => void): void {
    this.resizeListeners.add(listener);
  }

  off(_event: 'resize', listener: () => void): void {
    this.resizeListeners.delete(listener);
  }
}

function open(isTTY = true) {
  const terminal = new FakeTerminal(isTTY);
  const clock = new FakeClock();
  return { terminal, clock, display: new ProgressDisplay(terminal, { plainEveryMs: 1_000, clock }) };
}

test('on a terminal lines are redrawn in place, and printed lines stay above them', () => {
  const { terminal, display } = open();
  display.update(['one', 'two']);
  display.update(['one and a half', 'two', 'three']);
  assert.deepEqual(terminal.screen, ['one and a half', 'two', 'three', '']);
  display.print('it happened');
  assert.deepEqual(terminal.screen, ['it happened', 'one and a half', 'two', 'three', '']);
  display.update(['four']);
  assert.deepEqual(terminal.screen, ['it happened', 'four', '']);
});

test('the last lines stay at the end, or go when they are cleared', () => {
  const { terminal, display } = open();
  display.update(['first step']);
  assert.equal(terminal.cursorHidden, true);
  display.end();
  assert.equal(terminal.cursorHidden, false);
  display.update(['second step']);
  display.clear();
  display.clear();
  display.print('result');
  assert.deepEqual(terminal.screen, ['first step', 'result', '']);
  assert.equal(terminal.cursorHidden, false);
  assert.equal(terminal.resizeListeners.size, 0);
});

test('lines that would wrap are cut, and of more lines than fit the last ones show', () => {
  const { terminal, display } = open();
  terminal.columns = 6;
  terminal.rows = 3;
  display.update(['1', '2', '123456789']);
  assert.deepEqual(terminal.screen, ['2', '12345', '']);
  display.update(['1', '2', '\x1b[1mbold text\x1b[22m']);
  assert.deepEqual(terminal.screen.at(-2), 'bold ');
});

test('after a resize nothing that was printed is erased', () => {
  const { terminal, display } = open();
  display.print('stays');
  display.update(['progress']);
  for (const listener of terminal.resizeListeners) listener();
  display.update(['progress 2']);
  assert.deepEqual(terminal.screen, ['stays', 'progress', 'progress 2', '']);
});

test('elsewhere lines are written now and then, or at once when that is asked for', async () => {
  const { terminal, clock, display } = open(false);
  display.update(['1']);
  display.update(['2']);
  await clock.advance(999);
  display.update(['3']);
  display.update(['4'], { now: true });
  await clock.advance(1_000);
  display.update(['5']);
  display.print('result');
  display.end();
  assert.deepEqual(terminal.screen, ['1', '4', '5', 'result', '']);
  assert.equal(terminal.cursorHidden, false);
});

test('text is cut and padded by its visible characters, and wrapped between words', () => {
  assert.equal(cut('\x1b[1mabcdef\x1b[22m', 3), '\x1b[1mabc\x1b[22m');
  assert.equal(pad('\x1b[1mab\x1b[22m', 4), '\x1b[1mab\x1b[22m  ');
  assert.deepEqual(wrap('one two three extraordinary', 9), ['one two', 'three', 'extraordinary']);
});
