import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessOptions } from '../../lib/index.js';
import { Cluster } from '../support/cluster.js';
import { HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';

// This file is also the program of its child processes: grpc-js reads the environment when it is loaded.
const [target, headless] = process.argv.slice(2);

async function callOnce(target: string, headless: HeadlessOptions): Promise<void> {
  const client = createHeadlessClient(HelloClient, target, credentials.createInsecure(), { headless });
  await sayHi(client);
  client.close();
}

/** What a process writes to stderr that makes one call. */
async function stderrOf(cluster: Cluster, env: NodeJS.ProcessEnv): Promise<string> {
  const { GRPC_TRACE: _trace, GRPC_VERBOSITY: _verbosity, ...rest } = process.env;
  const child = fork(fileURLToPath(import.meta.url), [cluster.target, JSON.stringify(cluster.headless())], {
    env: { ...rest, ...env },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  return text(child.stderr as NodeJS.ReadableStream);
}

if (target !== undefined && headless !== undefined) await callOnce(target, JSON.parse(headless));
else {
  test("GRPC_TRACE=headless writes what happens to grpc-js's log, one line for each event", async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    const stderr = await stderrOf(cluster, { GRPC_TRACE: 'headless', GRPC_VERBOSITY: 'DEBUG' });
    const lines = stderr.trim().split('\n');
    for (const line of lines) assert.match(line, /^D \d{4}-[\dT:.-]+Z \| v1\.14\.\d+ \d+ \| headless \| \S+: \S/);
    const said = lines.map((line) => line.split(' | ').at(-1));
    const channel = `headless:///${cluster.target}`;
    for (const expected of [
      `${channel}: channel opened`,
      `${cluster.name}: response over udp: NOERROR`,
      `${channel}: the set has 1 addresses: ${cluster.pods[0]?.address}`,
      `${channel}: connected to ${cluster.pods[0]?.address}`,
      `${channel}: channel closed`,
    ])
      assert.ok(said.includes(expected), `no line "${expected}" in:\n${stderr}`);
  });

  test('without GRPC_TRACE, or for another tracer, nothing is written', async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    assert.equal(await stderrOf(cluster, { GRPC_VERBOSITY: 'DEBUG' }), '');
    assert.doesNotMatch(await stderrOf(cluster, { GRPC_TRACE: 'channel', GRPC_VERBOSITY: 'DEBUG' }), /\| headless \|/);
  });
}
