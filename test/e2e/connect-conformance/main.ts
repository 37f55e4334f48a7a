/**
 * Connect's own conformance suite, with `createHeadlessTransport` as the client under test:
 *
 *     npm run test:connect-conformance                        all cases
 *     npm run test:connect-conformance -- --run 'Errors/**'   other flags of the suite, too
 *
 * The suite starts its servers on 127.0.0.1. It fails where a case fails that is not listed, and where one passes that is
 * listed as known to fail.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GoProgram } from '../../support/go-program.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../../..');

const suite = new GoProgram('connectconformance', {
  folder: 'test/e2e/connect-conformance/go',
  build: 'test/e2e/connect-conformance/main.ts',
  imported: 'connectrpc.com/conformance/cmd/connectconformance',
});

const missing = suite.ensureBuilt();
if (missing === null) {
  const protos = join(suite.moduleFolder('connectrpc.com/conformance'), 'proto');
  const client = [process.execPath, '--import', join(root, '.ts-node.mjs'), join(here, 'client.ts'), protos];
  const lists = [
    '--known-failing',
    `@${join(here, 'known-failing.txt')}`,
    '--known-flaky',
    `@${join(here, 'known-flaky.txt')}`,
  ];
  const args = ['--mode', 'client', '--conf', join(here, 'config.yaml'), ...lists, ...process.argv.slice(2)];
  const { status, error } = spawnSync(suite.binary, [...args, '--', ...client], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  process.exitCode = status ?? 1;
} else {
  console.error(missing);
  // A run that tests nothing must not pass there.
  if (process.env['CI']) process.exitCode = 1;
}
