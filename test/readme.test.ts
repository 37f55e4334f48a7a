/**
 * The code in the README, in docs/ and in CONTRIBUTING.md runs as it stands, but for the names of the Service and of this
 * package. That each block has the right types: code-blocks.test.ts. README.zh-CN.md has the same blocks: translation.test.ts.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Client } from '@connectrpc/connect';
import ts from 'typescript';
import type { HeadlessTransport } from '../lib/connect.js';
import { Cluster } from './support/cluster.js';
import { eventually } from './support/eventually.js';
import { FakeApiServer } from './support/fake-api-server.js';
import type { Hello } from './support/hello-messages.js';
import type { HelloClient } from './support/hello-service.js';
import { sayHi } from './support/hello-service.js';
import { leakCheck } from './support/leak-check.js';
import { codeBlocksOf, documentsOf, sideOf } from './support/markdown.js';

const here = dirname(fileURLToPath(import.meta.url));
const documents = documentsOf(join(here, '..')).filter((path) => path !== 'README.zh-CN.md');
const texts = await Promise.all(documents.map((path) => readFile(join(here, '..', path), 'utf8')));
const blocks = texts.flatMap(codeBlocksOf).filter(({ language }) => language === 'ts' || language === 'diff');

const DOORS = ['factory', 'channel', 'scheme', 'testing'];

function codeOf(name: string): string {
  const code = blocks.find((block) => block.name === name)?.code;
  assert.ok(code, `the documentation has no code for ${name}`);
  return code;
}

function importable(path: string): string {
  return `'${pathToFileURL(join(here, path)).href}'`;
}

/** Source of a module that runs the block against a cluster and exports its client. */
function moduleOf(code: string, cluster: Cluster): string {
  const service = `headless://127.0.0.1:${cluster.dns.port}/${cluster.target}`;
  return [
    `import { HelloClient } from ${importable('support/hello-service.ts')};`,
    code.includes("from '@grpc/grpc-js'") ? '' : "import { credentials } from '@grpc/grpc-js';",
    code
      .replaceAll("'grpc-headless'", importable('../lib/index.ts'))
      .replace(/'grpc-headless\/(\w+)'/g, (_, subpath: string) => importable(`../lib/${subpath}.ts`))
      .replaceAll(/'(?:headless:\/\/\/)?hello\.shop\.svc\.cluster\.local:50051'/g, `'${service}'`)
      // A template whose scheme is a variable.
      .replaceAll(':///hello.shop.svc.cluster.local:50051', service.slice('headless'.length))
      .replaceAll('hello.shop:50051', `hello.shop:${cluster.port}`)
      .replaceAll("'127.0.0.1'", `'${cluster.pods[0]?.ip}'`)
      .replaceAll("'127.0.0.2'", `'${cluster.pods[1]?.ip}'`),
    'export { client };',
  ].join('\n');
}

async function importSource<Exports>(source: string, defer: (cleanUp: () => Promise<void>) => void): Promise<Exports> {
  // Inside the repository, so that packages are found.
  const folder = await mkdtemp(join(here, '.readme-'));
  defer(() => rm(folder, { recursive: true }));
  const file = join(folder, 'block.ts');
  await writeFile(file, source);
  return (await import(pathToFileURL(file).href)) as Exports;
}

async function callThrough(t: TestContext, code: string): Promise<void> {
  const defer = leakCheck(t);
  t.mock.method(console, 'log', () => {});
  const cluster = await Cluster.start(defer, { pods: 2 });
  const { client } = await importSource<{ client: HelloClient }>(moduleOf(code, cluster), defer);
  defer(() => client.close());
  assert.match((await sayHi(client)).from_who, /^127\./);
}

for (const door of DOORS)
  test(`the code for the ${door} runs and its client gets answers`, (t) => callThrough(t, codeOf(door)));

test('the code for the events runs after the code for the channel', (t) =>
  callThrough(t, `${codeOf('channel')}\n${codeOf('events')}`));

for (const option of ['outlier', 'health'])
  test(`the code for the option ${option} runs and its client gets answers`, (t) => callThrough(t, codeOf(option)));

test('the code for the events of outlier ejection, health checks and panic runs after the code for the channel', (t) =>
  callThrough(t, `${codeOf('channel')}\n${codeOf('health events')}`));

test('the code that chooses the scheme by a setting runs, and its client gets answers', (t) =>
  callThrough(t, codeOf('rollback')));

for (const change of ['from dns', 'from dns by scheme'])
  test(`the code after the change ${change} runs, and its client gets answers`, (t) =>
    callThrough(t, sideOf(codeOf(change), 'after')));

for (const [name, door] of [
  ['channels', 'factory'],
  ['channels', 'scheme'],
  ['verify', 'scheme'],
] as const)
  test(`the code for ${name} runs after the code for the ${door}, and shows its channel`, async (t) => {
    const targets: string[] = [];
    const source = `${codeOf(name)}\n${codeOf(door)}\nglobalThis.openTargets(channels());`;
    Object.assign(globalThis, {
      openTargets: (views: readonly { target: string }[]) => targets.push(...views.map(({ target }) => target)),
    });
    t.after(() => Reflect.deleteProperty(globalThis, 'openTargets'));
    await callThrough(t, source);
    assert.equal(targets.length, 1);
    assert.match(targets[0] ?? '', /^headless:\/\/127\.0\.0\.1:\d+\/hello\./);
  });

for (const [name, published] of [
  ['diagnostics', /^\{"target":"headless:[^"]+","kind":"connection_lost","address":"127\.[\d.:]+"\}$/m],
  ['metrics', null],
] as const)
  test(`the code for ${name} runs before the code for the channel`, async (t) => {
    const defer = leakCheck(t);
    const lines: string[] = [];
    t.mock.method(console, 'log', (message: unknown) => lines.push(JSON.stringify(message)));
    const cluster = await Cluster.start(defer, { pods: 1 });
    const { client } = await importSource<{ client: HelloClient }>(
      moduleOf(`${codeOf(name)}\n${codeOf('channel')}`, cluster),
      defer,
    );
    defer(() => client.close());
    await sayHi(client);
    await cluster.pods[0]?.kill();
    if (published !== null) await eventually(() => assert.match(lines.join('\n'), published));
  });

test('the recommended options make a client that gets answers', (t) => {
  const factory = codeOf('factory');
  const withOptions = factory.replace(
    "'grpc.keepalive_time_ms': 10_000, // grpc-js's own options stay where they are",
    codeOf('recommended options'),
  );
  assert.notEqual(withOptions, factory);
  return callThrough(t, withOptions);
});

test('the code for a zone makes a client that gets answers, also in a cluster without zonal names', async (t) => {
  const { ZONE } = process.env;
  t.after(() => {
    if (ZONE === undefined) delete process.env.ZONE;
    else process.env.ZONE = ZONE;
  });
  process.env.ZONE = 'us-west-2a';
  const [imports] = codeOf('factory').split('\n\n', 1) as [string];
  await callThrough(t, `${imports}\n${codeOf('zone')}`);
});

test('the code for Connect runs and its client gets answers', async (t) => {
  const defer = leakCheck(t);
  t.mock.method(console, 'log', () => {});
  const cluster = await Cluster.start(defer, { pods: 2 });
  const code = codeOf('connect')
    .replace("'./gen/hello_pb.js'", importable('support/hello-messages.ts'))
    .concat('export { client, transport };');
  const { client, transport } = await importSource<{ client: Client<typeof Hello>; transport: HeadlessTransport }>(
    moduleOf(code, cluster).replace('export { client };', ''),
    defer,
  );
  defer(() => transport.close());
  assert.match((await client.hi({ toWho: 'pod', message: 'hi' })).fromWho, /^127\./);
});

for (const option of ['retry', 'drain', 'connections', 'subset'])
  test(`the code for the option ${option} makes a client that gets answers`, (t) => {
    const [imports] = codeOf('factory').split('\n\n', 1) as [string];
    return callThrough(t, `${imports}\n${codeOf(option)}`);
  });

test('the code for the watch of EndpointSlices makes a client that gets answers', async (t) => {
  const api = await FakeApiServer.start();
  const folder = await mkdtemp(join(here, '.kubeconfig-'));
  const { KUBECONFIG } = process.env;
  try {
    process.env.KUBECONFIG = join(folder, 'config');
    await writeFile(process.env.KUBECONFIG, api.kubeConfig().exportConfig());
    const [imports] = codeOf('factory').split('\n\n', 1) as [string];
    // A test of its own: its client is closed before the API server.
    await t.test('its client', (inner) => callThrough(inner, `${imports}\n${codeOf('endpoint slices')}`));
  } finally {
    if (KUBECONFIG === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = KUBECONFIG;
    await api.close();
    await rm(folder, { recursive: true });
  }
});

test('the code for long streams runs after the code for the channel', async (t) => {
  const code = `${codeOf('channel')}\n${codeOf('imbalance')}\n${codeOf('reopening stream')}`;
  await callThrough(t, code.replace('{ HeadlessChannel }', '{ HeadlessChannel, ReopeningStream }'));
});

test('the code for long streams has the types of this package', () => {
  const head = [
    "import { HeadlessChannel, ReopeningStream } from '../lib/index.js';",
    "import type { HelloClient } from './support/hello-service.js';",
    'declare const channel: HeadlessChannel;',
    'declare const client: HelloClient;',
  ].join('\n');
  assert.deepEqual(
    problemsOf('test/long-streams.ts', `${head}\n${codeOf('imbalance')}\n${codeOf('reopening stream')}`),
    [],
  );
});

test('the example of a policy picks the first of the ready endpoints', async (t) => {
  const defer = leakCheck(t);
  const { firstReady } = await importSource<{
    firstReady: { createPicker(ready: readonly object[], previous: null, context: object): { pick(): object } };
  }>(codeOf('policy'), defer);
  const ready = [{ pickResult: { first: true } }, { pickResult: { first: false } }];
  assert.equal(firstReady.createPicker(ready, null, {}).pick(), ready[0]?.pickResult);
});

/** What the compiler finds wrong with a file that exists in the documentation alone. */
function problemsOf(file: string, code: string): string[] {
  const root = join(here, '..');
  const path = join(root, file);
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...more) =>
    name === path ? ts.createSourceFile(name, code, ts.ScriptTarget.ES2023) : getSourceFile(name, ...more);
  const program = ts.createProgram([path], options, host);
  const source = program.getSourceFile(path);
  assert.ok(source);
  const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('the example of a policy has the types of the contract', () => {
  assert.deepEqual(problemsOf('lib/picker/first-ready.ts', codeOf('policy')), []);
});

test('every block of TypeScript in the documentation, and every diff of such, is run', () => {
  assert.deepEqual(
    blocks.map(({ name }) => name).toSorted(),
    [
      ...DOORS,
      'channels',
      'verify',
      'rollback',
      'from dns',
      'from dns by scheme',
      'connect',
      'connections',
      'diagnostics',
      'drain',
      'endpoint slices',
      'events',
      'health events',
      'health',
      'imbalance',
      'metrics',
      'outlier',
      'policy',
      'recommended options',
      'reopening stream',
      'retry',
      'subset',
      'zone',
    ].toSorted(),
  );
});
