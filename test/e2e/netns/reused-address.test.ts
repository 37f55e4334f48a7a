import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../faults/covers.js';
import { createAuthority } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { leakCheck } from '../../support/leak-check.js';
import { missing, NETWORK_NAMESPACES } from './requirements.js';
import { PATIENT, POD_PORT, RestrictedCluster, TARGET } from './restricted-cluster.js';

const skip = missing(...NETWORK_NAMESPACES);

test('the IP of a pod, taken by another service, gets no call and leads to a query', {
  ...covers(36),
  skip,
}, async (t) => {
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 0 });
  const authority = createAuthority();
  // The name in the target is what TLS checks, though DNS was asked by a longer one.
  const own = authority.issue({ names: [TARGET.split(':')[0] as string] });
  const foreign = authority.issue({ names: ['billing.shop'] });
  await net.scaleUp(3, { tls: own });
  // Polls only when something asks for one.
  await net.open({}, { ca: authority.certificate, refresh: { intervalMs: 3_600_000 } });
  await net.awaitAnswersFrom(net.pods);
  const [taken, ...others] = net.pods as [string, string, string];

  await net.client.startLoad(4, { deadlineMs: 10_000 });
  const before = (await net.client.snapshot()).counters;
  await net.cluster.killPod(taken);
  await net.cluster.startPods([{ ip: taken, port: POD_PORT, name: 'billing', tls: foreign }]);
  // DNS still names the address; the client connects to it again, and sees who is there.
  await eventually(async () => ((await net.cluster.stats()).get('billing')?.accepted ?? 0) > 0, PATIENT);
  await net.awaitState(taken, 'backoff');
  await net.awaitAnswersFrom(others);
  await eventually(async () => (await net.client.snapshot()).counters.polls > before.polls, PATIENT);

  await net.publish(others);
  await net.awaitState(taken, 'absent');
  const { failures } = await net.client.stopLoad();
  for (const failure of failures) assert.match(failure, /^UNAVAILABLE/);
  assert.ok(failures.length <= 4, `${failures.length} calls failed, more than can have been on the killed pod`);
  const { counters } = await net.client.snapshot();
  t.diagnostic(`queries that the loss led to: ${counters.hinted - before.hinted}; calls lost: ${failures.length}`);
  assert.equal((await net.cluster.stats()).get('billing')?.calls, 0, 'no call reached the other service');
});
