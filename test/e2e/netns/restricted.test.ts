import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../faults/covers.js';
import { leakCheck } from '../../support/leak-check.js';
import { DNS_IP, POD_PORT } from '../../support/pods-in-namespaces.js';
import { missing, NETWORK_NAMESPACES } from './requirements.js';
import { DEAD_DNS_IP, ELSEWHERE_IP, RestrictedCluster } from './restricted-cluster.js';

const skip = missing(...NETWORK_NAMESPACES);

test('a pod that may reach port 53 and the port of the pods only sees a scale-up from 2 to 5', { skip }, async (t) => {
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 2 });
  const elsewhere: readonly [string, number][] = [
    [ELSEWHERE_IP, 443],
    [ELSEWHERE_IP, POD_PORT],
    [net.pods[0] as string, POD_PORT + 1],
    [DNS_IP, 443],
  ];
  for (const [ip, port] of elsewhere) await net.listen(ip, port);
  const probeAll = () => Promise.all(elsewhere.map(([ip, port]) => net.client.probe(ip, port, 1_000)));
  await net.open();
  await net.awaitAnswersFrom(net.pods);

  await net.scaleUp(3);
  await net.awaitAnswersFrom(net.pods);
  const stats = await net.stats();
  assert.deepEqual(
    stats.map(({ accepted }) => accepted),
    [1, 1, 1, 1, 1],
    'one connection a pod',
  );

  assert.deepEqual(await probeAll(), ['timeout', 'timeout', 'timeout', 'timeout'], 'nothing else can be reached');
  await net.lowerFirewall();
  const open = ['connected', 'connected', 'connected', 'connected'];
  assert.deepEqual(await probeAll(), open, 'it was the firewall that forbade it');
});

test('a first DNS server that the policy forbids costs no look-up', {
  ...covers(33),
  skip,
}, async (t) => {
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 2 });
  net.writeResolvConf(DEAD_DNS_IP, DNS_IP);
  await net.open();
  await net.awaitAnswersFrom(net.pods);
  await net.scaleUp(1);
  await net.awaitAnswersFrom(net.pods);
  const { dns, counters } = await net.client.snapshot();
  assert.equal(dns.server, `${DNS_IP}:53`);
  t.diagnostic(`forbidden server: unreachable ${counters.unreachable}, timeouts ${counters.timeouts}`);
});
