/** Scenes in which DNS or the API server is away, late, or behind a cache. They run alone: every client uses these servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { API_ADDRESSES } from '../control-plane.js';
import { INTERVAL, Scene } from '../scene.js';
import type { Row } from '../scene-table.js';
import type { TestCluster } from '../test-cluster.js';
import { DNS_IPS, DNS_SERVICE_IP } from '../topology.js';

/** How long the API server is down. */
const OUTAGE_MS = 60_000;

export async function dnsRestarted(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: 'CoreDNS restarted', plan: { replicas: 2 } });
  await scene.call();
  await net.cluster.stopDns('first');
  await scene.moreCalls(1_500);
  await net.cluster.startDns('first');
  await scene.scale(4);
  await scene.awaitSettled(4);
  return scene.close();
}

/** The second replica's watch is cut off, so that it goes on to tell what was. */
export async function laggingReplica(net: TestCluster): Promise<Row> {
  await net.cluster.startDns('second');
  const scene = await Scene.open(net, {
    title: 'two replicas of CoreDNS, one lags',
    plan: { replicas: 2 },
    // Chance decides which one is asked.
    bound: { label: `${INTERVAL.label}, each time the late one is asked`, ms: 14 * INTERVAL.ms },
  });
  await scene.call({ dnsServers: [DNS_SERVICE_IP] });
  const cut = ['-s', '-d'].map((side) => `INPUT ${side} ${API_ADDRESSES[1]} -j DROP`);
  await net.inCluster(...cut.map((rule) => `iptables -A ${rule}`));
  try {
    for (const count of [3, 4, 6, 2]) {
      await scene.scale(count);
      await scene.awaitSettled(count);
    }
    await scene.moreCalls(2_000);
    return await scene.close();
  } finally {
    await net.inCluster(...cut.map((rule) => `iptables -D ${rule}`));
    await net.cluster.stopDns('second');
  }
}

export async function nodeLocalCache(net: TestCluster): Promise<Row> {
  await net.cluster.startDns('nodeLocal');
  const scene = await Scene.open(net, {
    title: 'NodeLocal DNSCache in front',
    plan: { replicas: 2 },
    bound: { label: 'TTL 30 s / 4', ms: 7_500 },
  });
  await scene.call({ dnsServers: [DNS_IPS.nodeLocal] });
  for (const count of [3, 5, 4, 6]) {
    await scene.scale(count);
    await scene.awaitSettled(count);
  }
  const result = await scene.close();
  await net.cluster.stopDns('nodeLocal');
  return result;
}

export async function apiServerDown(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, {
    title: 'API server down for a minute',
    plan: { replicas: 3 },
    // The backoff of its watches is 30 s and as much jitter, for each attempt.
    bound: { label: `${INTERVAL.label}, once CoreDNS has its watch again`, ms: INTERVAL.ms + 120_000 },
  });
  await scene.call();
  await net.cluster.killApi();
  await sleep(OUTAGE_MS);
  await net.cluster.startApi();
  await scene.scale(5);
  await scene.awaitSettled(5);
  return scene.close();
}
