/** Scenes in which the Service changes, or is of another kind. */
import assert from 'node:assert/strict';
import { eventually } from '../../../support/eventually.js';
import { podSpec } from '../manifests.js';
import { PATIENT, Scene } from '../scene.js';
import type { Row } from '../scene-table.js';
import type { TestCluster } from '../test-cluster.js';
import { NODES, POD_PORTS } from '../topology.js';

export async function serviceMadeAgain(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: 'Service deleted and made again', plan: { replicas: 2 } });
  await scene.call();
  await scene.deleteService();
  await scene.moreCalls(1_500);
  await scene.createService();
  await scene.scale(3);
  await scene.awaitSettled(3);
  return scene.close();
}

export async function selectorChanged(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: 'selector changed (blue to green)', plan: { replicas: 2 } });
  await scene.call();
  await scene.deploy('green', { replicas: 2 });
  const pods = await scene.awaitReady(4);
  await scene.patchService({ selector: { app: 'green' } });
  await scene.awaitAnswersFrom(pods.map(({ name }) => name).filter((name) => name.startsWith('green')));
  return scene.close();
}

export async function notReadyAddressesPublished(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: 'publishNotReadyAddresses', plan: { replicas: 2 } });
  await scene.call();
  const ready = (await scene.pods()).map(({ name }) => name);
  await scene.deploy('unready', { replicas: 2, app: 'hello', pod: { image: 'hello:broken' } });
  await eventually(async () => (await scene.pods()).length === 4, PATIENT);
  await scene.awaitAnswersFrom(ready);
  await scene.patchService({ publishNotReadyAddresses: true });
  await scene.awaitAnswersFrom((await scene.pods()).map(({ name }) => name));
  await scene.patchService({ publishNotReadyAddresses: false });
  await scene.awaitAnswersFrom(ready);
  return scene.close();
}

export async function clusterIpTurnedHeadless(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, {
    title: 'a ClusterIP Service turned headless',
    plan: { replicas: 2 },
    service: 'clusterIp',
  });
  const { clusterIP } = (await scene.service()).spec;
  const [first, second] = await scene.pods();
  // kube-proxy's part: each connection goes to one of the pods.
  const rule = `iptables -t nat -A OUTPUT -d ${clusterIP} -p tcp --dport ${POD_PORTS[0]}`;
  await net.inClient(
    `${rule} -m statistic --mode random --probability 0.5 -j DNAT --to-destination ${first?.ip}`,
    `${rule} -j DNAT --to-destination ${second?.ip}`,
  );
  await scene.startCalls();
  await scene.moreCalls(300);
  assert.equal((await scene.report()).byPod.size, 1, 'one connection, so that one pod has all calls');
  await scene.deleteService();
  await scene.createService();
  await scene.awaitAnswers();
  await scene.scale(3);
  await scene.awaitSettled(3);
  return scene.close();
}

export async function namedTargetPorts(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: 'named target ports, to another number', plan: { replicas: 3 } });
  await scene.call({ target: `headless:///_grpc._tcp.hello.${scene.namespace}` });
  await scene.quiet();
  await scene.roll(podSpec({ port: POD_PORTS[1] }));
  const pods = await scene.awaitSettled(3);
  await scene.awaitAnswersFrom(pods.map(({ name }) => name));
  const addresses = pods.map(({ ip }) => `${ip}:${POD_PORTS[1]}`).sort();
  await eventually(async () => assert.deepEqual((await scene.endpoints()).sort(), addresses), PATIENT);
  return scene.close();
}

export async function dualStack(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, {
    title: 'dual stack, then IPv6 alone',
    plan: { replicas: 2 },
    service: { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] },
  });
  await scene.call();
  await scene.scale(3);
  const three = await scene.awaitSettled(3);
  const addresses = three.map(({ ip }) => `${ip}:${POD_PORTS[0]}`).sort();
  assert.deepEqual((await scene.endpoints()).sort(), addresses, 'one endpoint for each pod');
  await scene.deleteService();
  await scene.createService({ ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] });
  await eventually(async () => {
    const endpoints = await scene.endpoints();
    assert.equal(endpoints.length, 3);
    assert.ok(endpoints.every((address) => address.startsWith('[fd00:244::')));
  }, PATIENT);
  await scene.scale(4);
  const pods = await scene.awaitSettled(4);
  await scene.awaitAnswersFrom(pods.map(({ name }) => name));
  return scene.close();
}

export async function zonalNames(net: TestCluster): Promise<Row> {
  const [near, far] = NODES;
  assert.ok(near !== undefined && far !== undefined);
  const scene = await Scene.open(net, {
    title: 'zonal names: the zone is lost and comes back',
    plan: { replicas: 2, pod: { nodeName: near.name } },
  });
  await scene.deploy('far', { replicas: 2, app: 'hello', pod: { nodeName: far.name } });
  await scene.awaitReady(4);
  await scene.startCalls({ zone: { name: near.zone } });
  const names = async (prefix: string) =>
    (await scene.pods()).map(({ name }) => name).filter((name) => name.startsWith(prefix));
  await scene.awaitAnswersFrom(await names('hello'));
  await scene.scale(0);
  await scene.awaitReady(2);
  await scene.awaitAnswersFrom(await names('far'));
  await scene.scale(2);
  await scene.awaitReady(4);
  await scene.awaitAnswers('hello');
  await scene.awaitAnswersFrom(await names('hello'));
  return scene.close();
}
