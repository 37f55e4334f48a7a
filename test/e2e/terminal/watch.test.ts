/** `watch` in a real terminal: tmux, which tells what stands on its screen. Its server is this test's own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Cluster } from '../../support/cluster.js';
import { eventually } from '../../support/eventually.js';
import { type Defer, leakCheck } from '../../support/leak-check.js';
import { command, missing } from '../netns/requirements.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);
/** The command starts in a process of its own, which takes seconds on a busy machine. */
const PATIENCE = { timeoutMs: 60_000, intervalMs: 100 };

class Tmux {
  readonly #socket: string;

  /** A shell in a window of this size. */
  static async start(defer: Defer, columns: number, rows: number): Promise<Tmux> {
    const folder = mkdtempSync(join(tmpdir(), 'watch-'));
    const tmux = new Tmux(join(folder, 'socket'));
    defer(async () => {
      await tmux.do('kill-server').catch(() => {});
      rmSync(folder, { recursive: true });
    });
    await tmux.do(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      String(rows),
      'PS1="prompt> " sh',
    );
    return tmux;
  }

  private constructor(socket: string) {
    this.#socket = socket;
  }

  async do(...args: string[]): Promise<string> {
    const { stdout } = await run('tmux', ['-u', '-S', this.#socket, ...args], { cwd: ROOT });
    return stdout;
  }

  async screen(): Promise<string[]> {
    return (await this.do('capture-pane', '-p')).replace(/\n$/, '').split('\n');
  }

  /** Whether the alternate screen is shown and the cursor is visible. */
  async modes(): Promise<{ alternate: boolean; cursor: boolean }> {
    const text = await this.do('display-message', '-p', '#{alternate_on} #{cursor_flag}');
    return { alternate: text.startsWith('1'), cursor: text.trim().endsWith('1') };
  }
}

async function watchInTmux(t: TestContext, pods: number): Promise<{ tmux: Tmux; cluster: Cluster }> {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods });
  const tmux = await Tmux.start(defer, 100, 24);
  const line = `node --import ./.ts-node.mjs lib/cli/main.ts watch --server ${cluster.dns.address} --interval 200ms ${cluster.target}; echo "ended with $?"`;
  await tmux.do('send-keys', '-l', line);
  await tmux.do('send-keys', 'Enter');
  await eventually(
    async () => assert.match((await tmux.screen())[0] ?? '', new RegExp(`${pods} of ${pods} pods ready`)),
    PATIENCE,
  );
  return { tmux, cluster };
}

describe('watch in a terminal', { skip: missing(command('tmux', 'tmux')) }, () => {
  test('the view fills the terminal, follows its size, and Ctrl-C gives the shell its screen and cursor back', async (t) => {
    const { tmux, cluster } = await watchInTmux(t, 3);
    assert.deepEqual(await tmux.modes(), { alternate: true, cursor: false });
    const screen = await tmux.screen();
    assert.equal(screen.length, 24);
    assert.match(screen[23] ?? '', /Ctrl-C ends$/);
    for (const { address } of cluster.pods) assert.ok(screen.some((line) => line.startsWith(address)));

    await tmux.do('resize-window', '-x', '60', '-y', '14');
    await eventually(async () => {
      const smaller = await tmux.screen();
      assert.equal(smaller.length, 14);
      assert.match(smaller[0] ?? '', /3 of 3 pods ready$/);
      assert.match(smaller[13] ?? '', /Ctrl-C ends$/);
    }, PATIENCE);
    await tmux.do('resize-window', '-x', '120', '-y', '30');
    await eventually(async () => {
      const larger = await tmux.screen();
      assert.equal(larger[0]?.length, 120);
      assert.equal(larger.filter((line) => /Ctrl-C ends$/.test(line)).length, 1, 'nothing is left of the smaller view');
      assert.match(larger[29] ?? '', /Ctrl-C ends$/);
    }, PATIENCE);

    await tmux.do('send-keys', 'C-c');
    await eventually(
      async () => assert.match((await tmux.screen()).join('\n'), /3 pods at the end[\s\S]*ended with 0/),
      PATIENCE,
    );
    assert.deepEqual(await tmux.modes(), { alternate: false, cursor: true });
    assert.doesNotMatch((await tmux.screen()).join('\n'), /Ctrl-C ends/);
  });

  test('pods that come and go while it runs appear in place', async (t) => {
    const { tmux, cluster } = await watchInTmux(t, 2);
    const [first] = cluster.pods;
    const [second] = await cluster.scaleUp(1);
    assert.ok(first && second);
    const shows = (address: string, state: string) =>
      eventually(
        async () => assert.ok((await tmux.screen()).some((line) => line.startsWith(address) && line.includes(state))),
        PATIENCE,
      );
    await shows(second.address, '● ready');
    cluster.unpublish(first);
    await shows(first.address, '◐ draining');
    await first.stop();
    await shows(first.address, 'gone');
    await tmux.do('send-keys', 'C-c');
    await eventually(async () => assert.match((await tmux.screen()).join('\n'), /ended with 0/), PATIENCE);
  });
});
