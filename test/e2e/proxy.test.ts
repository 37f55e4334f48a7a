import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient, HeadlessChannel, type HeadlessOptions } from '../../lib/index.js';
import { Cluster } from '../support/cluster.js';
import { HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';

// This file is also the program of its child processes: grpc-js reads the proxy's variables from the environment.
interface Task {
  target: string;
  /** Doors that make a client. Default: all. */
  doors?: string[];
  headless: HeadlessOptions;
}

interface Result {
  /** Who answered, by door; an error's message where nobody did. */
  answers: Record<string, string>;
  warnings: string[];
  /** What `ready()` of a HeadlessChannel with `grpc.enable_http_proxy` 1 rejected with; null where it resolved. */
  ready: string | null;
}

async function runChild({ target, headless, doors }: Task): Promise<Result> {
  const warnings: string[] = [];
  process.on('warning', (warning) => {
    const { code } = warning as { code?: string };
    if (code?.startsWith('GRPC_HEADLESS')) warnings.push(`${code}: ${warning.message}`);
  });
  await import('../../lib/register.js');
  const insecure = credentials.createInsecure();
  // A plain JavaScript program may pass it.
  const unset: unknown = { 'grpc.enable_http_proxy': undefined };
  const bare = `headless:///${target}`;
  const clients: Record<string, () => HelloClient> = {
    createHeadlessClient: () => createHeadlessClient(HelloClient, target, insecure, { headless }),
    'option undefined': () => createHeadlessClient(HelloClient, target, insecure, { headless, ...(unset as object) }),
    'bare, proxy off': () => new HelloClient(bare, insecure, { headless, 'grpc.enable_http_proxy': 0 }),
    'bare, no option': () => new HelloClient(bare, insecure, { headless }),
  };
  const answers: Result['answers'] = {};
  for (const [door, create] of Object.entries(clients).filter(([door]) => doors?.includes(door) ?? true))
    answers[door] = await sayHi(create()).then(
      ({ from_who }) => from_who,
      (error: Error) => error.message,
    );
  const channel = new HeadlessChannel(target, insecure, { headless, 'grpc.enable_http_proxy': 1 });
  const ready = await channel.ready({ timeoutMs: 1_000 }).then(
    () => null,
    (error: Error) => error.message,
  );
  channel.close();
  return { answers, warnings, ready };
}

/** An HTTP proxy that connects to nothing and counts who wants it to. */
async function startProxy(defer: ReturnType<typeof leakCheck>) {
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => asked.push(data.toString('latin1').split('\r\n', 1)[0] ?? ''));
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  defer(() => proxy.close());
  return { asked, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
}

async function inChild(task: Task, variables: NodeJS.ProcessEnv): Promise<Result> {
  const { NODE_TEST_CONTEXT: _, grpc_proxy: _g, http_proxy: _h, https_proxy: _s, no_proxy: _n, ...env } = process.env;
  const loader = new URL('../../.ts-node.mjs', import.meta.url).href;
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(task)], {
    execArgv: ['--import', loader, '--no-warnings'],
    env: { ...env, ...variables },
  });
  const [[result]] = (await Promise.all([once(child, 'message'), once(child, 'exit')])) as [[Result], unknown];
  return result;
}

const [task] = process.argv.slice(2);
if (task !== undefined) process.send?.(await runChild(JSON.parse(task)));
else {
  test("with http_proxy set, clients of ours connect directly, a bare target's go to the proxy, and a warning says so", async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    const proxy = await startProxy(defer);
    const pod = cluster.pods[0]?.name;
    const result = await inChild({ target: cluster.target, headless: cluster.headless() }, { http_proxy: proxy.url });
    const { 'bare, no option': unprotected, ...direct } = result.answers;
    assert.deepEqual(direct, { createHeadlessClient: pod, 'option undefined': pod, 'bare, proxy off': pod });
    assert.notEqual(unprotected, pod);
    assert.ok(proxy.asked.length > 0);
    for (const line of proxy.asked) assert.match(line, /^CONNECT /);
    assert.equal(result.warnings.length, 1);
    assert.match(String(result.warnings[0]), /^GRPC_HEADLESS_PROXY: http_proxy is set/);
    assert.match(String(result.warnings[0]), /headless:\/\/\/hello\.test\.svc\.cluster\.local\.:\d+ to the proxy/);
  });

  test('a no_proxy that does not cover the target leaves the warning, and ready() names the proxy', async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    const proxy = await startProxy(defer);
    // The name without the final dot of the target.
    const variables = { http_proxy: proxy.url, no_proxy: `localhost,127.0.0.1,${cluster.name}` };
    const task = { target: cluster.target, headless: cluster.headless() };
    const warned = await inChild({ ...task, doors: ['bare, no option'] }, variables);
    assert.equal(warned.warnings.length, 1);
    const proxied = await inChild({ ...task, doors: ['createHeadlessClient', 'bare, proxy off'] }, variables);
    // That of the channel with 'grpc.enable_http_proxy': 1.
    assert.equal(proxied.warnings.length, 1);
    for (const { ready } of [warned, proxied])
      assert.match(
        ready ?? '',
        /no pod of \S+ was READY within 1000 ms: no pod is known; http_proxy was set and 'grpc\.enable_http_proxy' is not 0/,
      );
  });

  test('with no proxy in the environment, or the service in no_proxy, all connect directly, and no warning is given', async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    const proxy = await startProxy(defer);
    const pod = cluster.pods[0]?.name;
    const everyDoor = {
      createHeadlessClient: pod,
      'option undefined': pod,
      'bare, proxy off': pod,
      'bare, no option': pod,
    };
    // With the final dot of the absolute name: grpc-js compares the target's host as it is written.
    const variables = { http_proxy: proxy.url, no_proxy: `${cluster.name}.` };
    const tasks = [{}, variables].map((env) => inChild({ target: cluster.target, headless: cluster.headless() }, env));
    for (const { answers, warnings, ready } of await Promise.all(tasks)) {
      assert.equal(ready, null);
      assert.deepEqual(answers, everyDoor);
      assert.deepEqual(warnings, []);
    }
    assert.deepEqual(proxy.asked, []);
  });
}
