/** The command as users run it, against real pods and a DNS server on loopback. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CommandContext } from '../../lib/cli/command.js';
import { watch } from '../../lib/cli/watch/watch.js';
import { captureCommand } from '../support/captured-command.js';
import { createAuthority } from '../support/certificates.js';
import { Cluster, type ClusterOptions } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { failUnaryCalls } from '../support/failing-calls.js';
import { FakeTerminal } from '../support/fake-terminal.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

interface Run {
  readonly out: () => string;
  readonly err: () => string;
  readonly code: Promise<number>;
  interrupt(): void;
}

function run(defer: Defer, args: readonly string[], { terminal = null, env = {} }: Partial<CommandContext> = {}): Run {
  const abort = new AbortController();
  const { context, out, err } = captureCommand({
    env,
    terminal,
    signal: abort.signal,
    ...(terminal instanceof FakeTerminal ? { out: (text: string) => terminal.write(text) } : {}),
  });
  const code = watch.run(args, context);
  defer(async () => {
    abort.abort();
    await code;
  });
  return { out, err, code, interrupt: () => abort.abort() };
}

async function start(
  t: TestContext,
  options: ClusterOptions = {},
): Promise<{ defer: Defer; cluster: Cluster; args: string[] }> {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, options);
  return { defer, cluster, args: [cluster.target, '--server', cluster.dns.address, '--interval', '100ms'] };
}

test('--once prints every pod with its state and ends with 0', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 3 });
  const { code, out } = run(defer, [...args, '--once']);
  assert.equal(await code, 0);
  assert.match(out(), /READY {2}3 of 3 pods ready\n/);
  for (const { address } of cluster.pods) assert.match(out(), new RegExp(`^${address} +● ready`, 'm'));
});

test('--once ends with 1 where no pod can be connected to, and where the name does not exist', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 1 });
  await cluster.pods[0]?.kill();
  const refused = run(defer, [...args, '--once']);
  assert.equal(await refused.code, 1);
  assert.match(refused.out(), /✗ backoff.*\n {2}connect ECONNREFUSED/);
  const empty = await Cluster.start(defer, { pods: 0 });
  const missing = run(defer, [empty.target, '--server', empty.dns.address, '--once']);
  assert.equal(await missing.code, 1);
  assert.match(missing.out(), /NXDOMAIN[\s\S]*No pod is known\./);
});

test('--once with --json or --changes prints the lines until then, on a terminal too', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 2 });
  const lines = (out: string) => out.trimEnd().split('\n');
  const json = run(defer, [...args, '--once', '--json']);
  assert.equal(await json.code, 0);
  const ready = lines(json.out()).map((line) => JSON.parse(line) as { address: string | null; text: string });
  for (const { address } of cluster.pods)
    assert.ok(
      ready.some((line) => line.address === address && /ready/.test(line.text)),
      json.out(),
    );
  const terminal = new FakeTerminal(100, 30);
  const changes = run(defer, [...args, '--once', '--changes'], { terminal });
  assert.equal(await changes.code, 0);
  for (const line of lines(changes.out())) assert.match(line, /^\d{4}-\S+Z (channel|dns|pod) /);
});

test('in a pipe there is a line for each pod that comes, goes and fails, until it is interrupted', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 1 });
  const { code, out, interrupt } = run(defer, [...args, '--changes']);
  const [first] = cluster.pods;
  assert.ok(first);
  await eventually(() => assert.match(out(), new RegExp(`^\\S+Z pod +${first.address} (added: )?ready`, 'm')));
  const [second] = await cluster.scaleUp(1);
  assert.ok(second);
  await eventually(() => assert.match(out(), new RegExp(`${second.address} (added: )?ready`)));
  cluster.unpublish(first);
  await eventually(() => assert.match(out(), new RegExp(`${first.address} left DNS, draining`)));
  await second.kill();
  await eventually(() => assert.match(out(), new RegExp(`${second.address} (cannot be connected to|connection lost)`)));
  cluster.dns.fail('*', 'SERVFAIL');
  await eventually(() => assert.match(out(), /dns +failed: .*SERVFAIL/));
  interrupt();
  assert.equal(await code, 0);
  assert.deepEqual(
    out()
      .split('\n')
      .filter((line) => !/^(\d{4}-\d\d-\d\dT[\d:.]+Z (pod|dns|channel) .+)?$/.test(line)),
    [],
  );
});

test('in a terminal the view is drawn in place, follows a resize, and leaves the terminal as it was', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 2 });
  const terminal = new FakeTerminal(100, 24);
  const { code, interrupt } = run(defer, args, { terminal });
  await eventually(() => assert.match(terminal.lines[0] ?? '', /READY {2}2 of 2 pods ready$/));
  assert.ok(terminal.alternate && terminal.cursorHidden);
  terminal.resize(50, 12);
  assert.match(terminal.lines[0] ?? '', /READY {2}2 of 2 pods ready$/);
  const [third] = await cluster.scaleUp(1);
  await eventually(() =>
    assert.ok(terminal.lines.some((line) => line.startsWith(third?.address ?? '-') && /ready/.test(line))),
  );
  interrupt();
  assert.equal(await code, 0);
  assert.ok(!terminal.alternate && !terminal.cursorHidden && terminal.wraps);
  assert.match(terminal.lines.join(''), /3 pods at the end, 3 seen/);
});

test('NO_COLOR and TERM=dumb are respected', async (t) => {
  const { defer, args } = await start(t);
  const coloured = (env: Record<string, string>) => {
    const terminal = new FakeTerminal(100, 24);
    const { code, out } = run(defer, [...args, '--duration', '400ms'], { terminal, env });
    return code.then(() => out());
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with one.
  const sequence = /\x1b/;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  const colour = /\x1b\[3[1-6]m/;
  assert.match(await coloured({}), colour);
  assert.doesNotMatch(await coloured({ NO_COLOR: '1' }), colour);
  assert.doesNotMatch(await coloured({ TERM: 'dumb' }), sequence);
});

test('--calls spreads calls over the pods and shows how many each one got', async (t) => {
  const { defer, args } = await start(t, { pods: 2 });
  const terminal = new FakeTerminal(110, 24);
  const { interrupt } = run(defer, [...args, '--calls', '200'], { terminal });
  await eventually(() => {
    const [heading = ''] = terminal.lines.filter((line) => line.startsWith('POD'));
    assert.match(heading, /IN FLIGHT +CALLS +FAILED/);
    const calls = terminal.lines
      .filter((line) => /^127\./.test(line))
      .map((line) => Number(/ready +[\d a-z]+? {2,}\d+ +(\d+)/.exec(line)?.[1]));
    assert.ok(calls.length === 2 && calls.every((number) => number >= 10), String(calls));
  });
  interrupt();
});

test('--health tells which pods do not serve, and of panic when none does', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 2, pod: { health: 'SERVING' } });
  const [first, second] = cluster.pods;
  assert.ok(first && second);
  const lines = run(defer, [...args, '--changes', '--health']);
  const terminal = new FakeTerminal(110, 24);
  const screen = run(defer, [...args, '--health'], { terminal });
  const told = (pattern: string) => eventually(() => assert.match(lines.out(), new RegExp(`^\\S+Z ${pattern}$`, 'm')));
  const shown = (pattern: string) =>
    eventually(() => assert.match(terminal.lines.join('\n'), new RegExp(`^${pattern}`, 'm')));
  for (const { address } of [first, second]) await shown(`${address} +● ready .* SERVING `);

  await first.behave({ health: 'NOT_SERVING' });
  await told(`pod +${first.address} unhealthy: its health check says NOT_SERVING`);
  await shown(`${first.address} +! unhealthy .* NOT_SERVING `);
  await eventually(() => assert.match(terminal.lines[0] ?? '', /READY {2}1 of 2 pods ready$/));
  await second.behave({ health: 'NOT_SERVING' });
  await told('channel is in panic: .*');
  await shown('panic +every connected pod is ejected or unhealthy');
  const once = run(defer, [...args, '--health', '--once']);
  assert.equal(await once.code, 1, 'no pod is healthy');
  assert.match(once.out(), /0 of 2 pods ready\npanic [\s\S]*! unhealthy/);
  await first.behave({ health: 'SERVING' });
  await told(`pod +${first.address} healthy again: its health check says SERVING`);
  await told('channel is no longer in panic');
  for (const { code, interrupt } of [lines, screen]) {
    interrupt();
    assert.equal(await code, 0);
  }
});

test('--health SERVICE asks for that service, and a pod without a health service is ready', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 1, pod: { health: 'SERVING' } });
  const [plain] = await cluster.scaleUp(1, { health: null });
  const { out, interrupt, code } = run(defer, ['--health', 'shop.Hello', ...args]);
  await eventually(() => {
    assert.match(out(), new RegExp(`${cluster.pods[0]?.address} .*unhealthy: its health check says SERVICE_UNKNOWN`));
    assert.match(out(), new RegExp(`${plain?.address} .*ready.*, without a health service`));
  });
  interrupt();
  assert.equal(await code, 0);
});

test('--outlier with --calls shows which pod is ejected, why and for how long', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 1, pod: { health: 'SERVING' } });
  const [sick] = await cluster.scaleUp(1, { server: { interceptors: [failUnaryCalls] } });
  assert.ok(sick);
  const flags = [...args, '--calls', '100', '--outlier'];
  const lines = run(defer, [...flags, '--changes']);
  const terminal = new FakeTerminal(130, 24);
  const screen = run(defer, flags, { terminal });
  const reason = '5 failures in a row, the last one UNAVAILABLE';
  await eventually(() => assert.ok(lines.out().includes(` ${sick.address} ejected for 10 s: ${reason}\n`)));
  await eventually(() => {
    const table = terminal.lines.join('\n');
    assert.match(table, /^POD +STATE +FOR +CALLS AGAIN +IN FLIGHT/m);
    assert.match(table, new RegExp(`^${sick.address} +⊘ ejected +\\d s +in (\\d|10) s +0 +\\d+ +[1-9]\\d* `, 'm'));
    assert.match(table, new RegExp(`^${cluster.pods[0]?.address} +● ready `, 'm'));
  });
  for (const { code, interrupt } of [lines, screen]) {
    interrupt();
    assert.equal(await code, 0);
  }
});

test('--dns-only shows what DNS tells and opens no connection', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 2 });
  const pods = [...cluster.pods];
  const { out, code, interrupt } = run(defer, [...args, '--dns-only']);
  await eventually(() => assert.match(out(), /dns +answer: 2 addresses/));
  for (const { address } of pods) assert.match(out(), new RegExp(`${address} added to DNS`));
  cluster.publish([]);
  await eventually(() => assert.match(out(), /no addresses: .*NXDOMAIN|no addresses: .*does not exist/));
  await eventually(() => assert.match(out(), new RegExp(`${pods[0]?.address} gone`)));
  cluster.dns.fail('*', 'SERVFAIL');
  await eventually(() => assert.match(out(), /failed: .*SERVFAIL.* \(failure 2 in a row\)/));
  interrupt();
  assert.equal(await code, 0);
  assert.deepEqual(
    pods.map((pod) => pod.stats().accepted),
    [0, 0],
  );
});

test('--dns-only --once ends with 0 where DNS has an address and with 1 where it has none', async (t) => {
  const { defer, cluster, args } = await start(t, { pods: 2 });
  const listed = run(defer, [...args, '--dns-only', '--once']);
  assert.equal(await listed.code, 0);
  assert.match(listed.out(), /DNS ONLY {2}2 pods[\s\S]*● in DNS/);
  cluster.publish([]);
  assert.equal(await run(defer, [...args, '--dns-only', '--once']).code, 1);
});

test('--tls --ca connects to pods whose certificate is for the name of the target', async (t) => {
  const defer = leakCheck(t);
  const folder = mkdtempSync(join(tmpdir(), 'watch-'));
  defer(() => rmSync(folder, { recursive: true }));
  const authority = createAuthority();
  const tls = authority.issue({ names: ['hello.test.svc.cluster.local'] });
  const cluster = await Cluster.start(defer, { pods: 1, pod: { tls } });
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, authority.certificate);
  const args = [cluster.target, '--server', cluster.dns.address, '--interval', '100ms', '--once', '--tls'];
  assert.equal(await run(defer, [...args, '--ca', ca]).code, 0);
  assert.equal(await run(defer, args).code, 1);
});

test('what cannot be run ends with 2 and a sentence on standard error', async (t) => {
  const { defer, args } = await start(t);
  const wrong: readonly [args: string[], message: RegExp][] = [
    [['hello.shop'], /target "hello\.shop" cannot be used: it has no port/],
    [['a:1', '--server', 'dns.example'], /servers.*dns\.example/],
    [['a:1', '--server', 'dns.example', '--dns-only'], /--server takes an IP address.*"dns\.example"/],
    [[...args, '--tls', '--ca', '/does/not/exist'], /--ca "\/does\/not\/exist" cannot be used: ENOENT/],
    [[...args, '--tls', '--ca', 'package.json'], /--ca "package\.json" cannot be used: it has no PEM certificate/],
    [[...args, '--resolv-conf', '/does/not/exist'], /--resolv-conf "\/does\/not\/exist" cannot be read: ENOENT/],
    [['127.0.0.1:1', '--dns-only', '--once'], /no DNS server is asked for "127\.0\.0\.1", which is an address/],
    [['[::1]:1', '--dns-only'], /no DNS server is asked for "::1", which is an address/],
    [['localhost:1', '--dns-only'], /no DNS server is asked for "localhost", which is a name of this host/],
    [[...args, '--colour'], /Unknown option '--colour'/],
  ];
  for (const [line, message] of wrong) {
    const { code, out, err } = run(defer, line);
    assert.equal(await code, 2, line.join(' '));
    assert.match(err(), message);
    assert.match(err(), /`grpc-headless watch --help` explains/);
    assert.equal(out(), '');
  }
});

test('--web prints the address of the page; a chosen port that is taken ends with 2', async (t) => {
  const { defer, args } = await start(t);
  const { out, interrupt, code } = run(defer, [...args, '--web', '0']);
  await eventually(() => assert.match(out(), /^The page is at http:\/\/127\.0\.0\.1:\d+\/$/m));
  const [, port = ''] = /127\.0\.0\.1:(\d+)\/$/m.exec(out()) ?? [];
  const taken = run(defer, [...args, '--web', port]);
  assert.equal(await taken.code, 2);
  assert.match(taken.err(), /--web \d+: .*EADDRINUSE/);
  interrupt();
  assert.equal(await code, 0);
});
