/** A policy that is not in lib/ works through the same contract as those that are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { createChannelContext, registerHeadless } from '../../lib/compose.js';
import { CHANNEL_CONTEXT_KEY, ChannelContext } from '../../lib/grpc/channel-context.js';
import type { PickResult } from '../../lib/grpc/experimental.js';
import { resolveOptions } from '../../lib/options.js';
import type { PickableEndpoint, Picker, Policy } from '../../lib/picker/policy.js';
import { systemRuntime } from '../../lib/runtime.js';
import { parseTarget } from '../../lib/target.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';

/** Every call goes to the endpoint that joined last. */
class NewestPicker implements Picker {
  readonly endpoints: readonly PickableEndpoint[];
  /** Pickers made so far, this one counted: shows that the previous picker is handed on. */
  readonly generation: number;

  constructor(endpoints: readonly PickableEndpoint[], generation: number) {
    this.endpoints = endpoints;
    this.generation = generation;
  }

  pick(): PickResult {
    return (this.endpoints.at(-1) as PickableEndpoint).pickResult;
  }
}

test('a policy from outside lib/ chooses the pods of real calls, and is handed its previous picker', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const pickers: NewestPicker[] = [];
  const newest: Policy = {
    createPicker(ready, previous) {
      const picker = new NewestPicker(ready, previous instanceof NewestPicker ? previous.generation + 1 : 1);
      pickers.push(picker);
      return picker;
    },
  };

  registerHeadless();
  const settings = resolveOptions(cluster.headless());
  const { parts } = createChannelContext(parseTarget(cluster.target), settings, systemRuntime);
  const context = new ChannelContext({ ...parts, policy: newest });
  const client = new HelloClient(`headless:///${cluster.target}`, credentials.createInsecure(), {
    [CHANNEL_CONTEXT_KEY]: context,
  });
  defer(() => client.close());

  await sayHi(client);
  const [added] = await cluster.scaleUp(1);
  await eventually(async () => assert.equal((await sayHi(client)).from_who, added?.ip));
  assert.deepEqual(
    pickers.map(({ generation }) => generation),
    pickers.map((_, index) => index + 1),
  );
});
