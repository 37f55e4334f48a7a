/** The image of `examples/kubernetes/Dockerfile`: its commands are run here, as far as they take no Docker. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type DeploymentManifest, EXAMPLES, manifest } from '../support/example-manifests.js';
import { passesProbe } from '../support/health-probe.js';
import { leakCheck } from '../support/leak-check.js';
import { freePort } from '../support/pod.js';

const run = promisify(execFile);

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifestJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

/** Instructions of the Dockerfile, with their continued lines. */
const instructions = readFileSync(new URL('Dockerfile', EXAMPLES), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => line.split(/\s+/));

function argumentsOf(name: string): string[][] {
  return instructions.filter(([keyword]) => keyword === name).map(([, ...rest]) => rest);
}

/** The command that bundles the programs. */
const bundling = argumentsOf('RUN').find((words) => words.includes('rolldown')) ?? [];

function option(name: string): string {
  const value = bundling[bundling.indexOf(name) + 1];
  assert.ok(bundling.includes(name) && value !== undefined, `rolldown has ${name}`);
  return value;
}

test('the image is built from a pinned base and from files that exist, and runs as the user of the manifests', () => {
  const bases = argumentsOf('FROM').map(([image]) => image);
  assert.equal(bases.length, 2);
  for (const base of bases) assert.match(base ?? '', /^node:\d+\.\d+\.\d+-\w+-slim$/);
  const copies = argumentsOf('COPY').filter(([first]) => !first?.startsWith('--from'));
  for (const source of copies.flatMap((paths) => paths.slice(0, -1))) assert.ok(existsSync(join(root, source)), source);
  for (const name of ['hello', 'hello-client']) {
    const { securityContext, containers } = manifest<DeploymentManifest>('Deployment', name).spec.template.spec;
    assert.deepEqual(argumentsOf('USER'), [[`${securityContext.runAsUser}:${securityContext.runAsGroup}`]]);
    const program = containers[0]?.command[1];
    assert.ok(bundling.includes(`examples/hello/${program === 'server' ? 'server' : 'client'}.ts`));
  }
});

test('the image has the packages of the programs, and no others', () => {
  const packages = Object.keys(manifestJson.dependencies);
  const [prune = []] = argumentsOf('RUN').filter((words) => words.includes('prune'));
  const added = Array.from(prune.join(' ').matchAll(/'dependencies\[([^\]]+)\]=\*'/g), ([, name]) => name as string);
  const external = bundling.filter((_, index) => bundling[index - 1] === '--external');
  assert.ok(added.length > 0);
  assert.deepEqual(external.toSorted(), [...packages, ...added].toSorted());
});

test('the programs of the image run as its commands say: the server passes its probe, and answers the client', async (t) => {
  const defer = leakCheck(t);
  const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-image-'));
  defer(() => rmSync(folder, { recursive: true }));
  const words = bundling.map((word) => (word === option('--dir') ? folder : word));
  assert.deepEqual(words.splice(0, 2), ['npx', 'rolldown']);
  const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
  await run(process.execPath, [rolldown, ...words], { cwd: root });
  // What the last stage takes from the first, but for the programs.
  for (const [, source = '', target = ''] of argumentsOf('COPY').filter(([first]) => first === '--from=build')) {
    const path = source.replace('/build/', '');
    if (path === 'node_modules') symlinkSync(join(root, path), join(folder, path));
    else if (path !== option('--dir'))
      cpSync(join(root, path), join(folder, target === './' ? basename(path) : target), { recursive: true });
  }
  const port = await freePort(['127.0.0.1']);
  const environment = { PATH: process.env['PATH'], NODE_ENV: 'production' };
  const commandOf = (name: string): string[] => {
    const { command } = manifest<DeploymentManifest>('Deployment', name).spec.template.spec.containers[0] ?? {};
    const [node, ...rest] = command ?? [];
    assert.equal(node, 'node');
    return rest;
  };
  const server = spawn(process.execPath, commandOf('hello'), {
    cwd: folder,
    env: { ...environment, PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  defer(() => server.kill('SIGKILL'));
  const [greeting] = await Promise.race([
    once(createInterface({ input: server.stdout }), 'line'),
    once(server, 'exit').then(() => Promise.reject(new Error('the server ended before it was ready'))),
  ]);
  const id = /pod (\w+)/.exec(greeting)?.[1];
  assert.ok(await passesProbe('127.0.0.1', port));
  const { stdout } = await run(process.execPath, commandOf('hello-client'), {
    cwd: folder,
    env: { ...environment, HELLO_TARGET: `127.0.0.1:${port}`, CALLS: '1' },
  });
  assert.match(stdout, new RegExp(`^${id}: `, 'm'));
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
