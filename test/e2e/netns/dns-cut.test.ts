import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../faults/covers.js';
import { eventually } from '../../support/eventually.js';
import { leakCheck } from '../../support/leak-check.js';
import { DNS_IP } from '../../support/pods-in-namespaces.js';
import { missing, NETWORK_NAMESPACES } from './requirements.js';
import { PATIENT, RestrictedCluster } from './restricted-cluster.js';

const skip = missing(...NETWORK_NAMESPACES);

test('while the DNS server is cut off no call fails and no pod is let go', { ...covers(34), skip }, async (t) => {
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 3 });
  await net.open();
  await net.awaitAnswersFrom(net.pods);
  await net.client.startLoad(4, { deadlineMs: 10_000 });
  await net.blackHole(DNS_IP);
  const before = net.pods;
  await eventually(async () => (await net.client.snapshot()).dns.failures >= 2, PATIENT);
  const { dns, endpoints, counters } = await net.client.snapshot();
  assert.deepEqual(dns.addresses.toSorted(), before.toSorted());
  assert.deepEqual(
    endpoints.map(({ state }) => state),
    ['ready', 'ready', 'ready'],
  );
  assert.match(dns.error ?? '', /10\.96\.0\.10:53 .*gave no valid response within/);
  t.diagnostic(`queries that timed out: ${counters.timeouts}`);

  await net.scaleUp(2);
  const healed = performance.now();
  await net.heal();
  await net.awaitAnswersFrom(net.pods);
  t.diagnostic(`pods published meanwhile answered ${Math.round(performance.now() - healed)} ms after DNS was back`);
  const { failures } = await net.client.stopLoad();
  assert.deepEqual(failures, []);
  const stats = await net.stats();
  assert.deepEqual(
    stats.map(({ accepted }) => accepted),
    [1, 1, 1, 1, 1],
    'no pod was connected to twice',
  );
});
