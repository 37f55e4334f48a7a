import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { covers } from '../../faults/covers.js';
import { leakCheck } from '../../support/leak-check.js';
import { inside } from '../../support/namespaces.js';
import { missing, NETWORK_NAMESPACES } from './requirements.js';
import { RestrictedCluster } from './restricted-cluster.js';

const skip = missing(...NETWORK_NAMESPACES);

test('a link that flaps costs no call in short gaps, and after a long gap service is back as soon as the link is', {
  skip,
}, async (t) => {
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 3 });
  await net.open({ 'grpc.keepalive_time_ms': 1_000, 'grpc.keepalive_timeout_ms': 6_000 });
  await net.awaitAnswersFrom(net.pods);

  // Shorter than the keepalive timeout: TCP sends again what was lost, and no call fails. The waits are the
  // subject here: how long the link is down, and up.
  await net.client.startLoad(4, { deadlineMs: 20_000 });
  for (let flap = 1; flap <= 4; flap++) {
    await net.setLink('down');
    await sleep(200);
    await net.setLink('up');
    await sleep(800);
  }
  const short = await net.client.loadSoFar();
  assert.deepEqual(short.failures, []);
  t.diagnostic(`short gaps: slowest call ${short.slowestMs} ms`);

  // Longer than it: every connection is given up, and calls that wait for a connection get none in the gap.
  await net.setLink('down');
  for (const pod of net.pods) await net.awaitState(pod, 'connecting', 'backoff');
  const waiting = net.client.calls(20, { deadlineMs: 45_000, waitForReady: true });
  const impatient = await net.client.calls(5, { deadlineMs: 500, waitForReady: true });
  assert.deepEqual(new Set(impatient.failures.map((failure) => failure.split(':')[0])), new Set(['DEADLINE_EXCEEDED']));
  const down = await net.client.snapshot();
  assert.deepEqual(down.dns.addresses.toSorted(), net.pods.toSorted());
  const began = performance.now();
  await net.setLink('up');
  const { failures, answers } = await waiting;
  t.diagnostic(`service was back ${Math.round(performance.now() - began)} ms after the link was`);
  assert.deepEqual(failures, []);
  assert.ok(answers.size > 0);
  await net.awaitAnswersFrom(net.pods);
  await net.client.stopLoad();

  const accepted = (await net.stats()).map((stats) => stats.accepted);
  t.diagnostic(`connections that each pod ever saw: ${accepted}`);
  for (const count of accepted) assert.ok(count >= 2 && count <= 4, `a pod was connected to ${count} times`);
  const { polls } = (await net.client.snapshot()).counters;
  assert.ok(polls < 200, `${polls} polls are more than the floor between them allows`);
});

test('an MTU that swallows large datagrams leads to TCP', { ...covers(18), skip }, async (t) => {
  // 45 addresses make a reply of about 800 octets: small enough for UDP by EDNS, too large for the link's near end.
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 45 });
  await inside(net.names.client, 'ip link set eth0 mtu 600');
  await net.open();
  await net.awaitAnswersFrom(net.pods);
  const { dns, counters } = await net.client.snapshot();
  assert.equal(dns.transport, 'tcp');
  assert.equal(dns.addresses.length, 45);
  t.diagnostic(`timeouts ${counters.timeouts}, UDP ${counters.udpQueries}, TCP ${counters.tcpQueries}`);
});
