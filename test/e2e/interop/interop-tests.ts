/** Each case of the interop test descriptions as a test, with the default options and with every option. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelOptions } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessChannel, type HeadlessOptions } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { EVERY_OPTION } from '../../support/every-option.js';
import { leakCheck } from '../../support/leak-check.js';
import { INTEROP_CASES } from './case-table.js';
import { startInteropService } from './interop-service.js';
import { TestService } from './test-service.js';

const SETTINGS: Readonly<Record<string, HeadlessOptions>> = {
  'default options': {},
  'every option': { ...EVERY_OPTION, refresh: { intervalMs: 100, minIntervalMs: 50 } },
};

export function testInterop({ tls }: { tls: boolean }): void {
  for (const [setting, options] of Object.entries(SETTINGS))
    for (const [name, run] of Object.entries(INTEROP_CASES))
      test(`${name}, ${tls ? 'TLS' : 'plaintext'}, ${setting}`, async (t) => {
        const defer = leakCheck(t);
        const service = await startInteropService(defer, { tls });
        const open = (channelOptions: ChannelOptions = {}) => {
          const client = createHeadlessClient(TestService, service.target, service.credentials, {
            ...channelOptions,
            headless: { ...options, dns: { servers: [service.dns.address] } },
          });
          defer(() => client.close());
          return client;
        };
        const client = open();
        await run({ client, open, servers: service.servers, credentials: service.credentials });
        await assertSettled(client.getChannel(), service.servers, options);
      });
}

/** In the end there is a connection to each server, and no call under way: a call that was cancelled has ended, too. */
async function assertSettled(channel: HeadlessChannel, servers: readonly string[], { health }: HeadlessOptions) {
  await channel.ready();
  await eventually(() => {
    const { endpoints, balancer } = channel.snapshot();
    const settled = { state: 'ready', inFlight: 0, health: health ? 'SERVING' : null, ejected: null };
    assert.deepEqual(
      new Map(
        endpoints.map(({ address, state, inFlight, health, ejected }) => [
          address,
          { state, inFlight, health, ejected },
        ]),
      ),
      new Map(servers.map((address) => [address, settled])),
    );
    assert.equal(balancer, 'headless');
  });
}
