/** A second copy of grpc-js, as a nested or a symlinked package brings it into a process. */
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type * as Grpc from '@grpc/grpc-js';
import { credentials, status } from '@grpc/grpc-js';
import { createHeadlessClient, HeadlessChannel, HeadlessError } from '../../lib/index.js';
import '../../lib/register.js';
import { createFakeDns } from '../../lib/testing.js';
import { covers } from '../faults/covers.js';
import { HelloClient } from '../support/hello-service.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'second-grpc-')));
after(() => rmSync(folder, { recursive: true }));

const VERSION = '1.14.0-second';
const own = join(root, 'node_modules', '@grpc', 'grpc-js');
const copy = join(folder, 'node_modules', '@grpc', 'grpc-js');
const ownVersion = versionIn(own);

function versionIn(packageFolder: string): string {
  return JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version;
}

/** The copy has a version of its own, and the dependencies of the first one. */
function loadSecondCopy(): typeof Grpc {
  for (const part of ['build', 'proto', 'package.json']) cpSync(join(own, part), join(copy, part), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8'));
  writeFileSync(join(copy, 'package.json'), JSON.stringify({ ...manifest, version: VERSION }));
  for (const name of ['@grpc/proto-loader', '@js-sdsl/ordered-map']) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  return createRequire(join(folder, 'index.js'))('@grpc/grpc-js');
}

const second = loadSecondCopy();
const theirs = second.credentials;
const OtherClient = second.makeGenericClientConstructor(HelloClient.service, 'Hello') as unknown as typeof HelloClient;

function namesBoth(error: unknown): true {
  assert.ok(error instanceof HeadlessError, String(error));
  assert.equal(error.code, 'ERR_HEADLESS_GRPC_VERSION');
  for (const part of [`${VERSION} in ${copy}`, `${ownVersion} in ${own}`, '`npm dedupe`', 'peer dependency'])
    assert.ok(error.message.includes(part), `${part} is not in: ${error.message}`);
  return true;
}

const callCredentials = second.credentials.createFromMetadataGenerator((_, callback) =>
  callback(null, new second.Metadata()),
);
const foreign: Record<string, Grpc.ChannelCredentials> = {
  insecure: theirs.createInsecure(),
  TLS: theirs.createSsl(),
  'TLS with call credentials': theirs.combineChannelCredentials(theirs.createSsl(), callCredentials),
};
for (const [kind, given] of Object.entries(foreign))
  test(`${kind} credentials of a second copy of grpc-js are refused with both paths and versions`, covers(63), () => {
    assert.throws(() => new HeadlessChannel('svc.ns:1', given), namesBoth);
    assert.throws(() => createHeadlessClient(HelloClient, 'svc.ns:1', given), namesBoth);
    assert.throws(() => createHeadlessClient(OtherClient, 'svc.ns:1', given), namesBoth);
  });

test('a client of a second copy that makes a HeadlessChannel for itself is refused the same way', covers(63), () => {
  const channelFactoryOverride = (target: string, given: Grpc.ChannelCredentials, options: Grpc.ClientOptions) =>
    new HeadlessChannel(target, given, options);
  assert.throws(() => new OtherClient('svc.ns:1', theirs.createInsecure(), { channelFactoryOverride }), namesBoth);
});

test('credentials of a copy that was bundled are refused too, and the path is said to be unknown', covers(63), () => {
  const bundled = { _isSecure: () => false, _equals: () => false, compose: () => bundled };
  assert.throws(
    () => new HeadlessChannel('svc.ns:1', bundled as never),
    (error: HeadlessError) => {
      assert.equal(error.code, 'ERR_HEADLESS_GRPC_VERSION');
      assert.ok(error.message.includes('whose path is not known'), error.message);
      assert.ok(error.message.includes(`${ownVersion} in ${own}`), error.message);
      return true;
    },
  );
});

test("what does not look like channel credentials is left to grpc-js's own check", () => {
  for (const value of [undefined, null, {}, 'insecure', callCredentials, credentials])
    assert.throws(() => new HeadlessChannel('svc.ns:1', value as never), {
      name: 'TypeError',
      message: 'Channel credentials must be a ChannelCredentials object',
    });
});

test('a client class of a second copy works on a channel of ours, and is warned of once', covers(63), async () => {
  const warnings: NodeJS.ErrnoException[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const headless = { dns: { lookup: createFakeDns().lookup } };
  for (let time = 0; time < 2; time++) {
    const client = createHeadlessClient(OtherClient, 'svc.ns:1', credentials.createInsecure(), { headless });
    const failed = new Promise((resolve) =>
      client.Hi({ to_who: 'pod', message: 'hi' }, (error) => resolve(error?.code)),
    );
    assert.equal(await failed, status.UNAVAILABLE);
    client.close();
  }
  createHeadlessClient(HelloClient, 'svc.ns:1', credentials.createInsecure(), { headless }).close();
  await setImmediate();
  process.off('warning', onWarning);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['GRPC_HEADLESS_SECOND_GRPC'],
  );
  for (const part of [`${VERSION} in ${copy}`, `${ownVersion} in ${own}`])
    assert.ok(warnings[0]?.message.includes(part), warnings[0]?.message);
});

test('the error of a headless: target in a second copy, as of a forgotten import, has an entry in the docs', async () => {
  const client = new OtherClient('headless:///svc.ns:50051', theirs.createInsecure());
  const details = await new Promise<string | undefined>((resolve) =>
    client.Hi({ to_who: 'pod', message: 'hi' }, (error) => resolve(error?.details)),
  );
  client.close();
  const text = 'Name resolution failed for target dns:headless:';
  assert.ok(details?.startsWith(text), details);
  const entry = readFileSync(join(root, 'docs', 'errors.md'), 'utf8')
    .split('\n## ')
    .find((part) => part.includes(text));
  for (const cause of ["import 'grpc-headless/register'", 'second copy of `@grpc/grpc-js`', 'npm dedupe'])
    assert.ok(entry?.includes(cause), `${cause} is not in the entry`);
});
