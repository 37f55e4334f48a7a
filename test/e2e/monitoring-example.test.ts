import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.js';
import { leakCheck } from '../support/leak-check.js';

const root = new URL('../../', import.meta.url);

async function pageOf(url: string): Promise<string> {
  const [response] = await once(get(url, { agent: false }), 'response');
  return text(response);
}

async function endOf(child: ChildProcess): Promise<unknown> {
  const [code] = await once(child, 'exit');
  return code;
}

test('the example serves metrics of the calls that it makes, and ends at SIGINT', async (t) => {
  const defer = leakCheck(t);
  const program = fileURLToPath(new URL('examples/monitoring/main.ts', root));
  const child = fork(program, ['--port', '0'], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  defer(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const url = await eventually(() => /metrics on (http:\S+)/.exec(output)?.[1] ?? false, { timeoutMs: 30_000 });
  assert.ok(url);
  await eventually(async () => assert.match(await pageOf(url), /^grpc_lb_headless_calls_total\{.*"ok".*\} [1-9]/m));
  const code = endOf(child);
  child.kill('SIGINT');
  assert.equal(await code, 0);
});

test('the documentation explains every alert, and no other', () => {
  const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
  const rules = Array.from(read('examples/monitoring/alerts.yml').matchAll(/- alert: (\w+)/g), ([, name]) => name);
  const rows = Array.from(read('docs/monitoring.md').matchAll(/^\| `(GrpcHeadless\w+)` \| [^|]+ \| [^|]+ \|$/gm));
  assert.deepEqual(
    rows.map(([, name]) => name),
    rules,
  );
});
