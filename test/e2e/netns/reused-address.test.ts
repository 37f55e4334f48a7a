import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../faults/covers.js';
import { createAuthority } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { leakCheck } from '../../support/leak-check.js';
import { missing, NETWORK_NAMESPACES } from './requirements.js';
import { PATIENT, RestrictedCluster, TARGET } from './restricted-cluster.js';

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
  const [pod, ...rest] = net.cluster.pods;
  if (!pod) throw new Error('pods were started');
  const taken = pod.ip;
  const others = rest.map(({ ip }) => ip);

  await net.client.startLoad(4, { deadlineMs: 10_000 });
  const before = (await net.client.snapshot()).counters;
  await pod.kill();
  const billing = await net.cluster.restart(pod, { name: 'billing', tls: foreign });
  // DNS still names the address; the client connects to it again, and sees who is there.
  await eventually(async () => (await billing.stats()).accepted > 0, PATIENT);
  await net.awaitState(taken, 'backoff');
  await net.awaitAnswersFrom(others);
  await eventually(async () => (await net.client.snapshot()).counters.polls > before.polls, PATIENT);

  net.cluster.unpublish(billing);
  await net.awaitState(taken, 'absent');
  const { failures } = await net.client.stopLoad();
  for (const failure of failures) assert.match(failure, /^UNAVAILABLE/);
  assert.ok(failures.length <= 4, `${failures.length} calls failed, more than can have been on the killed pod`);
  const { counters } = await net.client.snapshot();
  t.diagnostic(`queries that the loss led to: ${counters.hinted - before.hinted}; calls lost: ${failures.length}`);
  assert.equal((await billing.stats()).calls, 0, 'no call reached the other service');
});
