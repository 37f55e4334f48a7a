/**
 * Many calls of `large_unary`, one after the other, of which none may fail. By default gRPC's own clients make 10 of them
 * (grpc-go) or 1,000 (C++).
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type InteropCases, largeUnary } from '../interop-case.js';

const CALLS = 200;
const CHANNELS = 30;
/** Some 2 s: with the shortest interval of the settings, DNS is asked again and again meanwhile. */
const PAUSES = 20;
const PAUSE_MS = 100;

export const soakCases: InteropCases = {
  async rpc_soak({ client, servers }) {
    const peers = new Set<string>();
    for (let call = 0; call < CALLS; call++) peers.add((await largeUnary(client)).peer);
    assert.deepEqual(peers, new Set(servers));
  },

  async channel_soak({ open }) {
    for (let call = 0; call < CHANNELS; call++) {
      const client = open();
      await largeUnary(client);
      client.close();
    }
  },

  async long_lived_channel({ client }) {
    for (let call = 0; call < PAUSES; call++) {
      await largeUnary(client);
      await sleep(PAUSE_MS);
    }
  },
};
