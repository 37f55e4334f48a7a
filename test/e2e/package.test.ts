import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Cluster } from '../support/cluster.js';
import { leakCheck } from '../support/leak-check.js';
import { brokenLinksOf, codeBlocksOf, documentsOf } from '../support/markdown.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
};
const run = promisify(execFile);

/** As a user writes it: all three doors and the fake DNS. The module system depends on the file's name. */
const CONSUMER = `
import { strict as assert } from 'node:assert';
import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import {
  type ClientConstructor, createHeadlessClient, DnsError, HeadlessChannel, HeadlessError, type HeadlessOptions,
  type Lookup, type Snapshot, type UpdateEvent,
} from 'grpc-headless';
import 'grpc-headless/register';
import { createFakeDns, type FakeDns } from 'grpc-headless/testing';

interface Answer { from_who: string }
interface Hello extends Client {
  Hi(request: { message: string }, callback: (error: ServiceError | null, answer?: Answer) => void): unknown;
}

const [proto = '', target = '', server = '', ip = ''] = process.argv.slice(2);
const definition = loadPackageDefinition(loadSync(proto, { keepCase: true })) as unknown as
  { hello: { Hello: ClientConstructor<Hello> } };
const { Hello } = definition.hello;

function hi(client: Hello): Promise<string> {
  return new Promise((resolve, reject) =>
    client.Hi({ message: 'hi' }, (error, answer) => (error || !answer ? reject(error) : resolve(answer.from_who))));
}

async function main(): Promise<void> {
  const headless: HeadlessOptions = { dns: { servers: [server] } };
  const insecure = credentials.createInsecure();
  const fake: FakeDns = createFakeDns({ 'svc.ns': [ip] });
  const lookup: Lookup = fake.lookup;
  const channel = new HeadlessChannel(target, insecure, { headless });
  const updates: UpdateEvent[] = [];
  channel.on('update', (update) => updates.push(update));
  await channel.ready();
  const clients: Hello[] = [
    createHeadlessClient(Hello, target, insecure, { headless, 'grpc.keepalive_time_ms': 10_000 }),
    new Hello(target, insecure, { channelOverride: channel }),
    new Hello('headless://' + server + '/' + target, insecure),
    createHeadlessClient(Hello, 'svc.ns:' + target.split(':')[1], insecure, { headless: { dns: { lookup } } }),
  ];
  for (const client of clients) assert.equal(await hi(client), ip);
  const { state }: Snapshot = channel.snapshot();
  assert.equal(state, 'READY');
  assert.equal(updates.length, 1);
  for (const client of clients) client.close();
  const closed: unknown = await channel.ready().catch((error: unknown) => error);
  assert.ok(closed instanceof HeadlessError && !(closed instanceof DnsError));
  // Not every code there is, so the union of codes has reached us too.
  assert.equal(closed.code satisfies string, 'ERR_HEADLESS_CLOSED');
  console.log('all doors work');
}

void main();
`;

test('the packed package works, with its types, in ESM and CommonJS projects outside this repository', async (t) => {
  const defer = leakCheck(t);
  const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-e2e-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  const tarball = await pack(folder);
  const user = await createProject(folder, tarball);

  writeFileSync(join(user, 'esm.mts'), CONSUMER);
  writeFileSync(join(user, 'common.cts'), CONSUMER);
  const imports = documentedImports();
  assert.ok(imports.length > 0, 'the documentation shows imports');
  for (const [index, line] of imports.entries()) {
    // Through the types, where unused imports are left out of the output, and as they stand.
    writeFileSync(join(user, `readme-${index}.mts`), `${line}\n`);
    if (!/\btype\b/.test(line)) writeFileSync(join(user, `readme-${index}-plain.mjs`), `${line}\n`);
  }
  await compile(user);

  await t.test('the documents in the package link to nothing that is not in it', () => {
    const installed = join(user, 'node_modules', manifest.name);
    assert.deepEqual(documentsOf(installed), documentsOf(root));
    for (const document of documentsOf(installed)) assert.deepEqual(brokenLinksOf(installed, document), [], document);
  });
  await t.test('the import forms of the documentation', async () => {
    const plain = imports.flatMap((line, index) => (/\btype\b/.test(line) ? [] : [`./readme-${index}-plain.mjs`]));
    writeFileSync(join(user, 'readme.mjs'), plain.map((file) => `import '${file}';\n`).join(''));
    await run(process.execPath, ['readme.mjs'], { cwd: user });
  });
  for (const [title, file] of [
    ['import', 'esm.mjs'],
    ['require()', 'common.cjs'],
  ])
    await t.test(`every door, the package loaded by ${title}`, (inner) => callThrough(inner, user, String(file)));

  // The last one: it takes the package away.
  await t.test(
    'without @opentelemetry/api everything works but grpc-headless/opentelemetry, which names it',
    async () => {
      rmSync(join(user, 'node_modules/@opentelemetry'), { recursive: true });
      const entries = ['grpc-headless', 'grpc-headless/register', 'grpc-headless/testing'];
      writeFileSync(join(user, 'others.mjs'), entries.map((entry) => `import '${entry}';\n`).join(''));
      await run(process.execPath, ['others.mjs'], { cwd: user });
      writeFileSync(join(user, 'metrics.mjs'), "import 'grpc-headless/opentelemetry';\n");
      await assert.rejects(
        run(process.execPath, ['metrics.mjs'], { cwd: user }),
        /Cannot find module '@opentelemetry\/api'/,
      );
    },
  );
});

async function callThrough(t: TestContext, user: string, file: string): Promise<void> {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  const proto = join(root, 'test/support/hello.proto');
  const args = [join(user, 'out', file), proto, cluster.target, cluster.dns.address, String(cluster.pods[0]?.ip)];
  const { stdout, stderr } = await run(process.execPath, args, { cwd: user });
  assert.equal(stdout.trim(), 'all doors work');
  assert.equal(stderr, '', 'no warning either');
  if (file.endsWith('.cjs')) assert.match(readFileSync(join(user, 'out', file), 'utf8'), /require\("grpc-headless"\)/);
}

/** Packs a copy, since `prepack` replaces `dist`, which may be in use. */
async function pack(folder: string): Promise<string> {
  const copy = join(folder, 'copy');
  mkdirSync(copy);
  const sources = [
    'package.json',
    'tsconfig.json',
    '.build.mjs',
    '.entries.cjs',
    'lib',
    'docs',
    'examples',
    'bench/results/published',
    'LICENSE',
  ];
  for (const name of [...sources, ...documentsOf(root)])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  // npm's own script where npm started us: `npm` is a .cmd on Windows, which execFile does not run.
  const npm = process.env['npm_execpath'];
  const args = ['pack', '--pack-destination', folder, '--loglevel', 'error'];
  await run(npm ? process.execPath : 'npm', npm ? [npm, ...args] : args, { cwd: copy });
  return join(folder, `${manifest.name}-${manifest.version}.tgz`);
}

/** A project that has what npm would install, and no more. */
async function createProject(folder: string, tarball: string): Promise<string> {
  const user = join(folder, 'user');
  const modules = join(user, 'node_modules');
  mkdirSync(join(modules, manifest.name), { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, manifest.name)]);
  const needed = { ...manifest.dependencies, ...manifest.peerDependencies };
  for (const name of [...Object.keys(needed), '@grpc/proto-loader', '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
  writeFileSync(join(user, 'package.json'), '{ "private": true }\n');
  return user;
}

async function compile(user: string): Promise<void> {
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ['node'],
    // The check of the package reads the declarations themselves.
    skipLibCheck: true,
    outDir: 'out',
  };
  writeFileSync(join(user, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts', '*.cts'] }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  // tsc tells what is wrong on stdout, which execFile's error leaves out.
  await run(process.execPath, [tsc, '-p', user]).catch((error: { stdout: string }) => assert.fail(error.stdout));
}

/** Import statements of this package in the documentation's code, each once. */
function documentedImports(): string[] {
  const blocks = documentsOf(root).flatMap((path) => codeBlocksOf(readFileSync(join(root, path), 'utf8')));
  const statements = blocks.flatMap(({ code }) => code.match(/^import\b[^;]*?'grpc-headless[^']*';/gm) ?? []);
  return [...new Set(statements)];
}
