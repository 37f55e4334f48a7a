/** The outputs in docs/in-my-cluster.md are what the commands print, but for addresses, ports, times and alignment. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCommandLine } from '../lib/cli/command-line.js';
import { COMMANDS } from '../lib/cli/commands.js';
import { type CapturedCommand, captureCommand } from './support/captured-command.js';
import { Cluster } from './support/cluster.js';
import { eventually } from './support/eventually.js';
import { leakCheck } from './support/leak-check.js';

const page = readFileSync(new URL('../docs/in-my-cluster.md', import.meta.url), 'utf8');

/** The lines that the page shows for an output, as `comparable` leaves them. */
function shown(name: string): string[] {
  const [, text] = page.split(`<!-- output: ${name} -->\n\`\`\`text\n`);
  assert.ok(text, `docs/in-my-cluster.md has no output ${name}`);
  return comparable(text.slice(0, text.indexOf('```')));
}

/** Lines without what differs from run to run. Their order is left out too: pods connect in any order. */
function comparable(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME')
        .replace(/\d+(\.\d+)? ms\b/g, 'N ms')
        .replace(/(answered|next query in) \d+ s/g, '$1 N s')
        .replace(/( ready +)\d+ s +\d+ +\d+ +\d+$/, '$1 N s N N 0')
        .replace(/ +/g, ' ')
        .trimEnd(),
    )
    .sort();
}

interface Fixture {
  readonly cluster: Cluster;
  run(
    args: readonly string[],
    signal?: AbortSignal,
  ): { readonly command: CapturedCommand; readonly code: Promise<number> };
  /** The output with the addresses and the port of the page. */
  disguised(text: string): string;
}

async function start(t: TestContext): Promise<Fixture> {
  const defer = leakCheck(t);
  const folder = mkdtempSync(join(tmpdir(), 'in-my-cluster-'));
  defer(async () => rmSync(folder, { recursive: true }));
  const resolvConf = join(folder, 'resolv.conf');
  writeFileSync(resolvConf, 'search shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n');
  const cluster = await Cluster.start(defer, {
    pods: 2,
    name: 'hello.shop.svc.cluster.local',
    pod: { health: 'SERVING' },
  });
  return {
    cluster,
    run(args, signal = new AbortController().signal) {
      const command = captureCommand({ signal });
      const surroundings = ['--server', cluster.dns.address, '--resolv-conf', resolvConf];
      const [name = '', ...rest] = args;
      return {
        command,
        code: runCommandLine(COMMANDS, '0.0.0', [name, cluster.target, ...rest, ...surroundings], command.context),
      };
    },
    disguised: (text) =>
      text
        .replace(/^( +servers +)as given$/m, '$1of /etc/resolv.conf')
        .replaceAll(cluster.dns.address, '10.96.0.10:53')
        .replaceAll(`:${cluster.port}`, ':50051')
        .replace(/\b127\.\d+\.\d+\.(\d+):/g, '10.1.0.$1:'),
  };
}

test('step 1: the doctor finds two pods and has no finding', async (t) => {
  const { run, disguised } = await start(t);
  const { command, code } = run(['doctor', '--idle', '0']);
  assert.equal(await code, 0);
  const output = disguised(command.out());
  assert.match(output, /^Findings\n {2}None\.$/m);
  const beginning = output.slice(0, output.indexOf('\nPods'));
  assert.deepEqual(comparable(beginning), shown('doctor'));
});

test('step 2: watch shows two pods that are ready, with calls', async (t) => {
  const { run, disguised } = await start(t);
  const { command, code } = run(['watch', '--once', '--calls', '20']);
  assert.equal(await code, 0);
  // Whether there is a cache is not always known by then.
  const output = disguised(command.out()).replace(/^cache.*\n/m, '');
  assert.deepEqual(comparable(output), shown('watch once'));
});

test('step 3: watch tells of three pods that come and one that goes', async (t) => {
  const { cluster, run, disguised } = await start(t);
  const interruption = new AbortController();
  const { command, code } = run(['watch', '--changes'], interruption.signal);
  const patience = { timeoutMs: 15_000 };
  await eventually(() => assert.match(command.out(), /no cache in front/), patience);
  await cluster.scaleUp(3);
  await eventually(() => assert.equal(command.out().match(/ ready after /g)?.length, 5), patience);
  const [first] = cluster.pods;
  assert.ok(first);
  cluster.unpublish(first);
  await eventually(() => assert.match(command.out(), /left DNS, draining/), patience);
  const output = disguised(command.out());
  interruption.abort();
  assert.equal(await code, 0);
  assert.deepEqual(comparable(output), shown('watch changes'));
});
