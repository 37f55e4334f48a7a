/**
 * The watch of EndpointSlices, with the rights of `examples/kubernetes/rbac.yaml` and the token of a ServiceAccount, beside a client
 * that polls DNS and one of grpc-go that watches. It runs alone: the API server ends in it, and the firewall lets the clients
 * reach that server.
 */
import assert from 'node:assert/strict';
import { eventually } from '../../../support/eventually.js';
import type { LoadReport } from '../client-main.js';
import { INTERVAL, PATIENT, Scene } from '../scene.js';
import type { Row } from '../scene-table.js';
import { ServiceAccount } from '../service-account.js';
import type { TestCluster } from '../test-cluster.js';
import { DNS_IPS, POD_PORTS } from '../topology.js';

/** As the client of grpc-go does it: so no chance decides when a pod that is known gets its first call. */
const IN_TURN = { policy: 'round_robin' } as const;

const SLICES = 'apis/discovery.k8s.io/v1/namespaces';

/** A pod that is Ready gets its call within milliseconds; this is for a machine that is busy. */
const WATCH = { label: 'watch', ms: 2_000 } as const;

export async function watchWithLeastRights(net: TestCluster): Promise<readonly Row[]> {
  const scene = await Scene.open(net, {
    title: 'watch of EndpointSlices',
    plan: { replicas: 2, pod: { shared: true } },
    bound: WATCH,
  });
  const { namespace } = scene;
  const account = new ServiceAccount(net, namespace);
  await account.apply('ServiceAccount');
  const token = await account.token();
  const access = net.accessFor(token);
  await net.allowApi(true);
  try {
    // Without rights: DNS, and the snapshot says why.
    await scene.call({ kubeConfig: access.kubeConfig, balance: IN_TURN });
    const refused = await net.client.discovery(namespace);
    assert.equal(refused?.source, 'dns');
    assert.match(refused?.error ?? '', / 403 .*forbidden.*rbac\.yaml/);

    // With them it begins to watch by itself.
    await account.apply('Role');
    await account.apply('RoleBinding');
    await awaitSource(net, namespace, 'endpointslices');
    await assertLeastRights(net, namespace, token);

    const peers = await startPeers(net, scene, access);
    const readyAt = new Map<string, number>();
    const note = async (): Promise<void> => {
      for (const pod of await scene.pods()) if (pod.readyAt !== null) readyAt.set(pod.name, pod.readyAt);
    };
    const first = new Set((await scene.pods()).map(({ name }) => name));
    for (const count of [5, 3, 12]) {
      await scene.scale(count);
      await scene.awaitSettled(count);
      await peers.awaitAnswers(scene);
      await note();
    }
    await scene.roll();
    await scene.awaitSettled(12);
    await peers.awaitAnswers(scene);
    await note();
    for (const name of first) readyAt.delete(name);

    // The API server ends: DNS takes over. It is back: so is the watch. The peers have been measured, and are ended before.
    const [polling, go] = await peers.stop();
    await net.cluster.killApi();
    await awaitSource(net, namespace, 'dns');
    await scene.moreCalls(500);
    await net.cluster.startApi();
    await awaitSource(net, namespace, 'endpointslices');
    await scene.scale(14);
    await scene.awaitSettled(14);
    const watch = await scene.close();
    return [
      watch,
      rowOf('beside it: polling of DNS', polling, readyAt, INTERVAL.label),
      rowOf('beside it: grpc-go with kuberesolver 6', go, readyAt, '–'),
    ];
  } finally {
    await net.allowApi(false);
  }
}

function awaitSource(net: TestCluster, namespace: string, source: string): Promise<void> {
  return eventually(async () => assert.equal((await net.client.discovery(namespace))?.source, source), PATIENT);
}

/** The token may list and watch the slices of the namespace, and nothing else. */
async function assertLeastRights(net: TestCluster, namespace: string, token: string): Promise<void> {
  const allowed = [`${SLICES}/${namespace}/endpointslices`];
  const refused = [
    `${SLICES}/default/endpointslices`,
    `${SLICES.replace('/namespaces', '')}/endpointslices`,
    `${SLICES}/${namespace}/endpointslices/any`,
    `api/v1/namespaces/${namespace}/pods`,
    `api/v1/namespaces/${namespace}/secrets`,
    `api/v1/namespaces/${namespace}/endpoints`,
    `api/v1/namespaces/${namespace}/services`,
    'api/v1/nodes',
  ];
  for (const path of allowed) assert.equal(await net.cluster.statusAs(token, 'GET', `/${path}`), 200, path);
  for (const path of refused) assert.equal(await net.cluster.statusAs(token, 'GET', `/${path}`), 403, path);
  for (const method of ['POST', 'DELETE'])
    assert.equal(await net.cluster.statusAs(token, method, `/${allowed[0]}`), 403, method);
}

/** A client that polls DNS and a client of grpc-go that watches, which call the same Service at the same time. */
async function startPeers(net: TestCluster, { namespace }: Scene, access: { url: string; ca: string; token: string }) {
  const polling = `${namespace}-polling`;
  const target = `hello.${namespace}:${POD_PORTS[0]}`;
  const dns = { resolvConf: net.resolvConf(DNS_IPS.first) };
  await net.client.open(polling, target, { dns, balance: IN_TURN }, { inFlight: 6, waitForReady: false });
  await net.client.startGo(`kubernetes:///${target}`, access.url, access.ca, access.token);
  return {
    awaitAnswers: (scene: Scene): Promise<unknown> =>
      eventually(async () => {
        const reports = [await net.client.report(polling), await net.client.reportGo()];
        const silent = (await scene.pods()).filter(
          ({ name, ready }) => ready && reports.some(({ firstAnswerAt }) => !firstAnswerAt.has(name)),
        );
        assert.deepEqual(silent, []);
      }, PATIENT),
    stop: (): Promise<[PeerReport, PeerReport]> => Promise.all([net.client.stop(polling), net.client.stopGo()]),
  };
}

type PeerReport = Pick<LoadReport, 'started' | 'failed' | 'firstAnswerAt'>;

function rowOf(title: string, report: PeerReport, readyAt: ReadonlyMap<string, number>, bound: string): Row {
  const times = [...readyAt].map(([pod, at]) => (report.firstAnswerAt.get(pod) ?? Number.NaN) - at);
  return { title, calls: report.started, failed: report.failed, times, bound };
}
