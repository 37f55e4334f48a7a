import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { leakCheck } from '../../../support/leak-check.js';
import { missing } from '../../netns/requirements.js';
import { type Row, sceneTable } from '../scene-table.js';
import { REQUIREMENTS, TestCluster } from '../test-cluster.js';
import { NODES, POD_PORTS } from '../topology.js';
import * as examples from './examples.js';
import * as outages from './outages.js';
import * as rollouts from './rollouts.js';
import * as scaling from './scaling.js';
import * as services from './services.js';
import * as watch from './watch.js';

type SceneOf = (net: TestCluster) => Promise<Row | readonly Row[]>;

/** By the sentence that each proves. They do not touch each other's pods, nor the servers that all share. */
const APART: Readonly<Record<string, SceneOf>> = {
  'scaling from 2 pods to 5, to 1 and to 30 loses no call': scaling.scaleUpAndDown,
  'a rolling restart with a surge of 25 % loses no call': rollouts.rollingRestart,
  'a rolling restart without surge loses no call': rollouts.rollingRestartWithoutSurge,
  'a version that never becomes ready gets no call': rollouts.brokenRollout,
  'a pod whose readiness flaps loses no call': rollouts.readinessThatFlaps,
  'a pod that is deleted by force loses no call but those that it refuses': rollouts.deletedByForce,
  'pods that move to the addresses of another node lose no call': rollouts.movedToAnotherNode,
  'calls that wait for ready get through a scale to zero and back, but for those that the last pod refuses':
    scaling.scaleToZeroAndBack,
  'a Service that is deleted and made again loses no call': services.serviceMadeAgain,
  'calls follow the selector of the Service': services.selectorChanged,
  'publishNotReadyAddresses brings the pods that are not ready, and its end takes them away':
    services.notReadyAddressesPublished,
  'a ClusterIP Service that is made headless spreads the calls of a client that was there before':
    services.clusterIpTurnedHeadless,
  'a named target port may change its number in a rollout': services.namedTargetPorts,
  'a dual-stack Service has one endpoint for each pod, and a Service of IPv6 alone works': services.dualStack,
  'with zonal names, calls stay in the zone, leave it with its last pod, and come back': services.zonalNames,
};

/** Of examples/kubernetes, one after the other: they share a namespace. */
const EXAMPLES: Readonly<Record<string, (net: TestCluster) => Promise<Row | undefined>>> = {
  'each object is accepted without a warning': examples.applied,
  'Pod Security admission takes the pods, and refuses them without their security settings': examples.admitted,
  'the autoscaler keeps two pods, and the budget lets one of them be evicted at a time': examples.guarded,
  'a rolling restart, called through the target of the client, loses no call': examples.rolled,
};

/** One after the other, and after the rest. */
const ALONE: Readonly<Record<string, SceneOf>> = {
  '300 pods get calls, and leave without a lost call': scaling.threeHundredPods,
  'a restart of CoreDNS loses no call': outages.dnsRestarted,
  'a replica of CoreDNS that lags behind costs no call': outages.laggingReplica,
  'behind NodeLocal DNSCache, new pods get calls long before its entries expire': outages.nodeLocalCache,
  'calls go on while the API server is down, and new pods get calls after it': outages.apiServerDown,
  'with the rights of rbac.yaml alone, a watch finds new pods at once, and leaves them to DNS while it is refused or away':
    watch.watchWithLeastRights,
};

const skip = missing(...REQUIREMENTS);

describe('a client with default options in a cluster with a real control plane', { skip }, () => {
  let cleanUp: () => unknown = () => {};
  const rows = new Map<string, Row | readonly Row[]>();
  let net: TestCluster;

  before(async () => {
    // Of the suite, as all scenes share the cluster.
    const defer = leakCheck({
      after(hook) {
        cleanUp = hook as () => unknown;
      },
    });
    net = await TestCluster.start(defer);
  });

  after(async () => {
    await cleanUp();
    const done = [EXAMPLES, APART, ALONE].flatMap(Object.keys).flatMap((title: string) => rows.get(title) ?? []);
    console.log(`\n${sceneTable(done)}\n`);
  });

  const prove = (title: string, scene: (net: TestCluster) => Promise<Row | readonly Row[] | undefined>): void => {
    test(title, async () => {
      try {
        const row = await scene(net);
        if (row !== undefined) rows.set(title, row);
      } catch (error) {
        console.error(`--- the cluster's logs, for: ${title}\n${await net.cluster.log()}`);
        throw error;
      }
    });
  };

  test('the client reaches no API server', async () => {
    assert.deepEqual(await net.probeApi(), ['timeout', 'timeout', 'timeout']);
    await net.inClient('iptables -P OUTPUT ACCEPT', 'iptables -P INPUT ACCEPT');
    const [open] = await net.probeApi();
    await net.inClient('iptables -P OUTPUT DROP', 'iptables -P INPUT DROP');
    assert.equal(open, 'connected', 'it was the firewall that forbade it');
  });

  test('the servers take calls at their port alone', async () => {
    const pod = NODES[0]?.ip(255) ?? '';
    const probe = (port: number) => net.client.probe(pod, port, 1_000);
    await net.inClient('iptables -P OUTPUT ACCEPT', 'iptables -P INPUT ACCEPT');
    const answers = [await probe(POD_PORTS[0]), await probe(POD_PORTS[1] + 1)];
    await net.inClient('iptables -P OUTPUT DROP', 'iptables -P INPUT DROP');
    assert.deepEqual(answers, ['ECONNREFUSED', 'timeout'], 'no server is there: a port that is open refuses');
  });

  describe('the objects of examples/kubernetes', () => {
    for (const [title, step] of Object.entries(EXAMPLES)) prove(title, step);
  });

  describe('changes of one Service', { concurrency: 5 }, () => {
    for (const [title, scene] of Object.entries(APART)) prove(title, scene);
  });

  describe('changes that all clients meet', () => {
    for (const [title, scene] of Object.entries(ALONE)) prove(title, scene);
  });
});
