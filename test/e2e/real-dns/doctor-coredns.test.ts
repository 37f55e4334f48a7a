/** The doctor before a real CoreDNS: caches, truncation, and the records by which it tells a cluster IP. */
import assert from 'node:assert/strict';
import { Cluster } from '../../support/cluster.js';
import { diagnose } from '../../support/doctor-fixture.js';
import { unclaimedLoopback } from '../../support/loopback.js';
import { coredns, corednsCache } from './coredns.js';
import { RealDnsServer } from './server.js';
import { NAME, serverTest } from './suite.js';

serverTest('the doctor finds no fault in CoreDNS and a headless Service', [coredns], async (defer) => {
  const server = await RealDnsServer.start(defer, coredns);
  const cluster = await Cluster.start(defer, { pods: 2 });
  await server.set(NAME, { a: cluster.ips });
  const { ids, facts } = await diagnose(defer, [`${NAME}.:${cluster.port}`, '--server', server.address], {
    patient: true,
  });
  assert.deepEqual(ids, []);
  assert.equal(facts.readings[0]?.cache, 'none');
});

serverTest('the doctor reads four entries of the cache of CoreDNS', [coredns, corednsCache(0)], async (defer) => {
  const authority = await RealDnsServer.start(defer, coredns);
  const cache = await RealDnsServer.start(defer, corednsCache(authority.port));
  const cluster = await Cluster.start(defer, { pods: 2 });
  await authority.set(NAME, { a: cluster.ips });
  const args = [`${NAME}.:${cluster.port}`, '--server', cache.address];
  const { ids, facts } = await diagnose(defer, args, { patient: true });
  assert.deepEqual(ids, ['dns-cache']);
  const [reading] = facts.readings;
  assert.deepEqual([reading?.cache, reading?.ttlMs, reading?.entries], ['present', 30_000, 4]);
});

serverTest('the doctor tells a cluster IP by the SRV records that CoreDNS has', [coredns], async (defer) => {
  const server = await RealDnsServer.start(defer, coredns);
  const cluster = await Cluster.start(defer, { pods: 1 });
  await server.set(NAME, { a: cluster.ips, srv: [{ port: cluster.port, target: NAME }] });
  const { ids } = await diagnose(defer, [`${NAME}.:${cluster.port}`, '--server', server.address]);
  assert.deepEqual(ids, ['cluster-ip']);
});

serverTest(
  'the doctor takes an answer of CoreDNS that is truncated over UDP whole over TCP',
  [coredns],
  async (defer) => {
    const server = await RealDnsServer.start(defer, coredns);
    await server.set(NAME, { a: unclaimedLoopback(200) });
    const { facts } = await diagnose(defer, [
      `${NAME}.:1`,
      '--server',
      server.address,
      '--pods',
      '1',
      '--timeout',
      '200',
    ]);
    const outcomes = facts.answers
      .filter(({ type }) => type === 'A')
      .map(({ transport, outcome }) => [transport, outcome.kind]);
    assert.deepEqual(outcomes, [
      ['udp', 'truncated'],
      ['tcp', 'addresses'],
    ]);
    assert.equal(facts.addresses.length, 200);
    assert.equal(facts.target.podsNotTried, 199);
  },
);

serverTest('the doctor finds the name that was meant in CoreDNS', [coredns], async (defer) => {
  const server = await RealDnsServer.start(defer, coredns);
  await server.set(NAME, { a: ['127.0.0.1'] });
  const { finding } = await diagnose(defer, [`helo.test.svc.cluster.local.:1`, '--server', server.address]);
  assert.equal(finding('wrong-name').client.target, `${NAME}.:1`);
});
