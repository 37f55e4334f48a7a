import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CommandContext, Terminal } from '../../lib/cli/command.js';
import { runCommandLine } from '../../lib/cli/command-line.js';
import { COMMANDS } from '../../lib/cli/commands.js';
import { anchorOf, type FindingId, TITLES } from '../../lib/cli/doctor/findings.js';
import { readSettings } from '../../lib/cli/doctor/settings.js';
import { captureCommand } from '../support/captured-command.js';
import { Cluster } from '../support/cluster.js';
import { DnsServer } from '../support/dns-server.js';
import { leakCheck } from '../support/leak-check.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const ids = Object.keys(TITLES) as FindingId[];

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function doctor(args: readonly string[], surroundings: Partial<CommandContext> = {}): Promise<Result> {
  const { context, out, err } = captureCommand(surroundings);
  const code = await runCommandLine(COMMANDS, '0.0.0', ['doctor', ...args], context);
  return { code, out: out(), err: err() };
}

const terminal: Terminal = { columns: 72, rows: 24, onResize: () => () => {} };
const ESCAPE = '\u001b';

test('a fine run exits with 0 and has no finding', async (t) => {
  const cluster = await Cluster.start(leakCheck(t), { pods: 2 });
  const { code, out, err } = await doctor([cluster.target, '--server', cluster.dns.address, '--idle', '0']);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /Findings\n {2}None\./);
});

test('findings exit with 1, and each has what was seen, the remedy, where to read, and the client code', async (t) => {
  const cluster = await Cluster.start(leakCheck(t), { pods: 2 });
  await cluster.pods[0]?.kill();
  cluster.dns.cache(30);
  const { code, out } = await doctor([cluster.target, '--server', cluster.dns.address, '--idle', '0']);
  assert.equal(code, 1);
  assert.match(
    out,
    /1\. {2}warning: A pod refuses the connection\n {4}seen {4}1 pod of 2\.[\s\S]*\n {4}remedy {2}Nothing[\s\S]*\n {4}read {4}docs\/troubleshooting\.md#a-pod-refuses-the-connection\n/,
  );
  assert.match(
    out,
    /2\. {2}note: A DNS cache makes news older[\s\S]*Client code\n\n {4}import [\s\S]*createHeadlessClient/,
  );
});

test('arguments that cannot be used exit with 2, and the message names them', async () => {
  for (const [args, message] of [
    [[], /the target is missing/],
    [['hello.shop'], /has no port/],
    [['a:1', 'b:2'], /one target at a time/],
    [['a:1', '--nonsense'], /Unknown option '--nonsense'/],
    [
      ['a:1', '--server', 'dns.example.org'],
      /--server must be an IP address with an optional port, got "dns\.example\.org"/,
    ],
    [['a:1', '--timeout', 'soon'], /--timeout must be a number from 1 to 60000, got "soon"/],
    [['a:1', '--ca', 'ca.pem'], /--ca needs --tls/],
    [['a:1', '--tls', '--ca', '/nowhere/ca.pem'], /--ca "\/nowhere\/ca\.pem" cannot be used: ENOENT/],
    [['a:1', '--tls', '--ca', 'package.json'], /--ca "package\.json" cannot be used: it has no PEM certificate/],
    [['a:1', '--interval', '48h'], /--interval takes a time from 10ms to 24h .* means milliseconds\), got "48h"/],
    [['a:1', '--resolv-conf', '/nowhere/resolv.conf'], /--resolv-conf cannot be read: ENOENT/],
  ] as const) {
    const { code, out, err } = await doctor(args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, message);
    assert.match(err, /doctor --help explains the command/);
  }
});

test('a time has a unit or is in milliseconds, as in `watch`', () => {
  const interval = (text: string) => readSettings(['a:1', '--interval', text]).intervalMs;
  assert.deepEqual(['5000', '5s', '500ms', '2m'].map(interval), [5_000, 5_000, 500, 120_000]);
});

test('an interrupted run exits with 2', async (t) => {
  const defer = leakCheck(t);
  const dns = await DnsServer.start();
  defer(() => dns.close());
  const abort = new AbortController();
  dns.respond = () => abort.abort();
  const { code, err } = await doctor(['hello.shop.:50051', '--server', dns.address], { signal: abort.signal });
  assert.equal(code, 2);
  assert.match(err, /interrupted/);
});

test('--json has the documented form', async (t) => {
  const cluster = await Cluster.start(leakCheck(t), { pods: 2 });
  await cluster.pods[0]?.kill();
  const { code, out } = await doctor([cluster.target, '--server', cluster.dns.address, '--idle', '0', '--json']);
  assert.equal(code, 1);
  const report = JSON.parse(out) as Record<string, unknown>;
  const page = readFileSync(join(root, 'docs/doctor.md'), 'utf8');
  const example = /```jsonc\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const documented = JSON.parse(example.replace(/\/\/ .*$/gm, '')) as Record<string, unknown>;
  assert.deepEqual(shapeOf(report), shapeOf(documented));
});

/** The members of every object, in depth; of a list those of its first element. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return 'value';
  const entries = Object.entries(value as Record<string, unknown>)
    // These are values in the example, and what they hold depends on the run.
    .map(([key, member]) => [key, VARYING.has(key) ? 'varies' : shapeOf(member)] as const);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

const VARYING: ReadonlySet<string> = new Set([
  ...['search', 'service', 'services', 'health', 'failure', 'idle', 'outcome', 'wildcards', 'grpcCopies', 'proxy'],
]);

test('colours are for terminals that want them', async (t) => {
  const defer = leakCheck(t);
  const dns = await DnsServer.start();
  defer(() => dns.close());
  const args = ['hello.shop.svc.cluster.local.:50051', '--server', dns.address];
  assert.ok((await doctor(args, { terminal })).out.includes(ESCAPE));
  for (const surroundings of [{}, { terminal, env: { NO_COLOR: '1' } }, { terminal, env: { TERM: 'dumb' } }])
    assert.ok(!(await doctor(args, surroundings)).out.includes(ESCAPE));
});

test('lines of prose fit the terminal', async (t) => {
  const defer = leakCheck(t);
  const dns = await DnsServer.start();
  defer(() => dns.close());
  const args = ['hello.shop.svc.cluster.local.:50051', '--server', dns.address];
  const { out } = await doctor(args, { terminal, env: { NO_COLOR: '1' } });
  const prose = out.split('\n').filter((line) => /^ {4}(?:seen|remedy| {6}) /.test(line));
  assert.ok(prose.length > 3);
  for (const line of prose) assert.ok(line.length <= terminal.columns, line);
});

test('progress is shown where errors go to a terminal, and is wiped at the end', async (t) => {
  const defer = leakCheck(t);
  const dns = await DnsServer.start();
  defer(() => dns.close());
  const args = ['hello.shop.svc.cluster.local.:50051', '--server', dns.address];
  assert.equal((await doctor(args)).err, '');
  const { err } = await doctor(args, { interactive: true });
  assert.match(err, /asking 127\.0\.0\.1:\d+ for 1 names?/);
  assert.ok(err.endsWith(`\r${ESCAPE}[2K`));
});

test('the command runs as a process, waits for a silent nameserver, and ends by itself within 10 seconds', async (t) => {
  const defer = leakCheck(t);
  const dns = await DnsServer.start();
  defer(() => dns.close());
  dns.pause();
  const main = ['--import', join(root, '.ts-node.mjs'), join(root, 'lib/cli/main.ts')];
  const child = spawn(process.execPath, [...main, 'doctor', 'hello.shop.:50051', '--server', dns.address], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let first = Number.POSITIVE_INFINITY;
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  dns.respond = () => {};
  const asked = setInterval(() => {
    if (dns.queries.length > 0) first = Math.min(first, performance.now());
  }, 20);
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(asked);
  assert.equal(code, 1, out);
  assert.match(out, /1\. {2}error: No nameserver answers/);
  // From its first query on: loading the source is not the command's time.
  assert.ok(performance.now() - first < 10_000);
});

test('--help teaches the command: where to run it, its options and its exit codes', async () => {
  const { code, out } = await doctor(['--help']);
  assert.equal(code, 0);
  assert.ok((out.split('\n')[0] ?? '').length <= 60);
  for (const option of [
    '--resolv-conf',
    '--server',
    '--tls',
    '--ca',
    '--timeout',
    '--idle',
    '--interval',
    '--pods',
    '--json',
  ])
    assert.match(out, new RegExp(`^ {2}${option} `, 'm'));
  assert.match(out, /kubectl exec/);
  assert.match(out, /Exit codes: 0 no finding, 1 findings, 2 it could not run\./);
  for (const line of out.split('\n')) assert.ok(line.length <= 90, line);
});

test('each finding has a section in the documentation, found by its exact text, with its id and a remedy', () => {
  const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
  const sections = new Map(
    page.split(/^### /m).map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
  );
  for (const id of ids) {
    const section = sections.get(TITLES[id]);
    assert.ok(section, `docs/troubleshooting.md has no heading "${TITLES[id]}"`);
    assert.ok(section.includes(`\n\`${id}\`.`), `the section of ${id} does not begin with the id`);
    assert.match(section, /\*\*Remedy\*\*: /, id);
  }
  assert.equal(sections.size - 1, ids.length, 'a section of the documentation is no finding');
});

test('titles have different anchors', () => {
  assert.equal(new Set(ids.map((id) => anchorOf(TITLES[id]))).size, ids.length);
});

test('each finding is brought about by a test against real servers', () => {
  const files = readdirSync(here).filter((name) => /^doctor-(?:service|dns|pods)\.test\.ts$/.test(name));
  const tests = files.map((name) => readFileSync(join(here, name), 'utf8')).join('\n');
  for (const id of ids) assert.ok(tests.includes(`'${id}'`), `no test asserts ${id}`);
});
