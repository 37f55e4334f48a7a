import assert from 'node:assert/strict';
import { test } from 'node:test';
import { experimental } from '@grpc/grpc-js';
import { CHANNEL_CONTEXT_KEY } from '../../lib/grpc/channel-context.js';
import { checkGrpc, PRIVATE_KEY_PREFIX } from '../../lib/grpc/experimental.js';

function refusal(missing: string): { code: string; message: string } {
  return {
    code: 'ERR_HEADLESS_GRPC_VERSION',
    message:
      `the installed @grpc/grpc-js lacks ${missing}: ` +
      'grpc-headless works with @grpc/grpc-js ^1.14.0; install that version',
  };
}

test('the installed grpc-js has all that is needed', () => {
  checkGrpc(experimental);
});

test('a grpc-js that lacks something is refused with what is missing and which versions work', () => {
  const { parseDuration: _gone, ...older } = experimental;
  assert.throws(() => checkGrpc(older), refusal('experimental.parseDuration'));
  const { statusOrFromValue: _value, statusOrFromError: _error, ...oldest } = experimental;
  assert.throws(() => checkGrpc(oldest), refusal('experimental.statusOrFromValue, experimental.statusOrFromError'));
});

test('a grpc-js without experimental at all is refused by its first missing name', () => {
  for (const nothing of [undefined, {}])
    assert.throws(
      () => checkGrpc(nothing),
      /lacks experimental\.registerResolver, experimental\.registerLoadBalancerType/,
    );
});

test("the context's key is one that grpc-js keeps away from the subchannels", () => {
  assert.ok(PRIVATE_KEY_PREFIX.length > 0);
  assert.ok(CHANNEL_CONTEXT_KEY.startsWith(PRIVATE_KEY_PREFIX));
});
