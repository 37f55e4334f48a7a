/** The README's code runs as it stands, but for the names of the Service and of this package. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Cluster } from './support/cluster.js';
import type { HelloClient } from './support/hello-service.js';
import { sayHi } from './support/hello-service.js';
import { leakCheck } from './support/leak-check.js';

const here = dirname(fileURLToPath(import.meta.url));
const readme = await readFile(join(here, '../README.md'), 'utf8');

/** The code block that follows the comment `<!-- door: NAME -->`. */
function codeOf(door: string): string {
  const code = new RegExp(`<!-- door: ${door} -->\n\`\`\`ts\n([^]*?)\`\`\``).exec(readme)?.[1];
  assert.ok(code, `the README has no code for ${door}`);
  return code;
}

/** Source of a module that runs the block against a cluster and exports its client. */
function moduleOf(code: string, cluster: Cluster): string {
  const importable = (path: string): string => `'${pathToFileURL(join(here, path)).href}'`;
  const service = `headless://127.0.0.1:${cluster.dns.port}/${cluster.target}`;
  return [
    `import { HelloClient } from ${importable('support/hello-service.ts')};`,
    code.includes("from '@grpc/grpc-js'") ? '' : "import { credentials } from '@grpc/grpc-js';",
    code
      .replaceAll("'grpc-headless'", importable('../lib/index.ts'))
      .replace(/'grpc-headless\/(\w+)'/g, (_, subpath: string) => importable(`../lib/${subpath}.ts`))
      .replaceAll(/'(?:headless:\/\/\/)?hello\.shop\.svc\.cluster\.local:50051'/g, `'${service}'`)
      .replaceAll('hello.shop:50051', `hello.shop:${cluster.port}`)
      .replaceAll("'127.0.0.1'", `'${cluster.pods[0]?.ip}'`)
      .replaceAll("'127.0.0.2'", `'${cluster.pods[1]?.ip}'`),
    'export { client };',
  ].join('\n');
}

for (const door of ['factory', 'channel', 'scheme', 'testing'])
  test(`the README's code for the ${door} runs and its client gets answers`, async (t) => {
    const defer = leakCheck(t);
    t.mock.method(console, 'log', () => {});
    const cluster = await Cluster.start(defer, { pods: 2 });
    // Inside the repository, so that packages are found.
    const folder = await mkdtemp(join(here, '.readme-'));
    defer(() => rm(folder, { recursive: true }));
    const file = join(folder, `${door}.ts`);
    await writeFile(file, moduleOf(codeOf(door), cluster));
    const { client } = (await import(pathToFileURL(file).href)) as { client: HelloClient };
    defer(() => client.close());
    assert.match((await sayHi(client)).from_who, /^127\./);
  });
