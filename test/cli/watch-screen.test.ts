import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from '../../lib/cli/watch/screen.js';
import { FakeClock } from '../support/fake-clock.js';
import { FakeTerminal } from '../support/fake-terminal.js';

function createScreen(terminal: FakeTerminal, draw: ConstructorParameters<typeof Screen>[2]) {
  const clock = new FakeClock();
  return { clock, screen: new Screen({ out: terminal.write, terminal }, clock, draw) };
}

test('frames are drawn over each other on the alternate screen, and the terminal is given back as it was', async () => {
  const terminal = new FakeTerminal(20, 4);
  terminal.write('$ watch\r\n');
  let frame = ['one', 'a longer line', 'three'];
  const { screen } = createScreen(terminal, () => frame);
  screen.start();
  assert.ok(terminal.alternate && terminal.cursorHidden && !terminal.wraps);
  assert.deepEqual(terminal.lines, ['one', 'a longer line', 'three', '']);
  frame = ['1', 'x'];
  screen.redraw();
  assert.deepEqual(terminal.lines, ['1', 'x', '', '']);
  screen.stop();
  assert.ok(!terminal.alternate && !terminal.cursorHidden && terminal.wraps);
  assert.deepEqual(terminal.lines, ['$ watch', '', '', '']);
  assert.equal(terminal.listeners, 0);
  screen.redraw();
  assert.deepEqual(terminal.lines, ['$ watch', '', '', '']);
});

test('a frame that fills every row and column is whole, and nothing scrolls', () => {
  const terminal = new FakeTerminal(5, 3);
  const { screen } = createScreen(terminal, () => ['aaaaa', 'bbbbb', 'ccccc']);
  screen.start();
  assert.deepEqual(terminal.lines, ['aaaaa', 'bbbbb', 'ccccc']);
  screen.stop();
});

test('after a resize the frame is drawn at once at the new size, with nothing left of the old one', () => {
  const terminal = new FakeTerminal(30, 6);
  const sizes: string[] = [];
  const { screen } = createScreen(terminal, ({ columns, rows }) => {
    sizes.push(`${columns}x${rows}`);
    return Array.from({ length: rows - 1 }, (_, row) => String(row).repeat(columns));
  });
  screen.start();
  terminal.resize(10, 3);
  assert.deepEqual(terminal.lines, ['0'.repeat(10), '1'.repeat(10), '']);
  terminal.resize(12, 4);
  assert.deepEqual(terminal.lines, ['0'.repeat(12), '1'.repeat(12), '2'.repeat(12), '']);
  assert.deepEqual(sizes, ['30x6', '10x3', '12x4']);
  screen.stop();
});

test('a frame that looks as before is not written again; one a second is drawn for the ages', async () => {
  const terminal = new FakeTerminal(20, 3);
  let text = 'same';
  const { clock, screen } = createScreen(terminal, () => [text]);
  screen.start();
  const written = terminal.written.length;
  screen.redraw();
  await clock.advance(3_000);
  assert.equal(terminal.written.length, written);
  text = '4 s';
  await clock.advance(1_000);
  assert.deepEqual(terminal.lines, ['4 s', '', '']);
  screen.stop();
  assert.equal(clock.timers, 0);
});

test('a whole frame is one write that never clears what it does not draw anew: nothing flickers', () => {
  const terminal = new FakeTerminal(20, 3);
  let number = 0;
  const { screen } = createScreen(terminal, () => [`frame ${number++}`, 'same line']);
  screen.start();
  const before = terminal.written.length;
  screen.redraw();
  const [frame, ...more] = terminal.written.slice(before);
  assert.deepEqual(more, []);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with one.
  assert.doesNotMatch(frame ?? '', /\x1b\[[0-3]J|\x1b\[H\x1b\[J/);
  screen.stop();
});

test('the terminal is given back too when an error ends the process', () => {
  const terminal = new FakeTerminal(20, 3);
  const { screen } = createScreen(terminal, () => ['x']);
  const before = process.listeners('exit');
  screen.start();
  const [listener, ...more] = process.listeners('exit').filter((each) => !before.includes(each));
  assert.deepEqual(more, []);
  (listener as () => void)();
  assert.ok(!terminal.alternate && !terminal.cursorHidden);
  terminal.alternate = true;
  screen.stop();
  assert.deepEqual(process.listeners('exit'), before);
});
