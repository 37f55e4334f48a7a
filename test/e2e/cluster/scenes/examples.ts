/** The objects of `examples/kubernetes/`, applied as they are: by each scene, so that each can run without the others. */
import assert from 'node:assert/strict';
import { eventually } from '../../../support/eventually.js';
import {
  type DeploymentManifest,
  type Manifest,
  manifest,
  manifestFiles,
  manifestsIn,
} from '../../../support/example-manifests.js';
import { PATIENT, Scene } from '../scene.js';
import type { Row } from '../scene-table.js';
import type { TestCluster } from '../test-cluster.js';

const NAMESPACE = 'shop';
const CORE = `/api/v1/namespaces/${NAMESPACE}`;
const SERVER = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/hello`;
const AUTOSCALER = `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers/hello`;
const BUDGET = `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets/hello`;

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  }[];
}

/** Each object is accepted, with strict validation and without a warning; neither check passes all objects. */
export async function applied(net: TestCluster): Promise<undefined> {
  const rank = (file: string): number => (file === 'namespace.yaml' ? 0 : 1);
  const files = manifestFiles().toSorted((a, b) => rank(a) - rank(b));
  for (const object of files.flatMap(manifestsIn)) {
    const warnings = await net.cluster.apply(pathOf(object), object);
    assert.deepEqual(warnings, [], `${object.kind} ${object.metadata.name}`);
  }
  const server = manifest<DeploymentManifest>('Deployment', 'hello');
  const typo = { ...server, spek: {} };
  await assert.rejects(net.cluster.apply(pathOf(typo), typo), /spek/, 'the validation is strict');
  const { template } = server.spec;
  const plain = {
    ...server,
    metadata: { ...server.metadata, name: 'plain' },
    spec: { ...server.spec, replicas: 0, template: { ...template, spec: { ...template.spec, securityContext: {} } } },
  };
  const [warning] = await net.cluster.apply(pathOf(plain), plain);
  assert.match(warning ?? '', /would violate PodSecurity/, 'warnings are seen');
}

/** The controllers may create the pods of both Deployments; without its security settings a pod is refused. */
export async function admitted(net: TestCluster): Promise<undefined> {
  await applied(net);
  await eventually(async () => {
    const { items } = (await net.cluster.api('GET', `${CORE}/pods`)) as PodList;
    const apps = new Set(items.map(({ metadata }) => metadata.labels['app']));
    assert.deepEqual([...apps].sort(), ['hello', 'hello-client']);
  }, PATIENT);
  for (const { metadata, spec } of ['hello', 'hello-client'].map((name) =>
    manifest<DeploymentManifest>('Deployment', name),
  )) {
    const pod = (change: object, container: object) => ({
      metadata: { name: `plain-${metadata.name}` },
      spec: {
        ...spec.template.spec,
        ...change,
        containers: spec.template.spec.containers.map((each) => ({ ...each, ...container })),
      },
    });
    const create = (body: object) => net.cluster.api('POST', `${CORE}/pods?dryRun=All`, body);
    await create(pod({}, {}));
    await assert.rejects(create(pod({ securityContext: {} }, {})), /violates PodSecurity .*runAsNonRoot/);
    await assert.rejects(create(pod({}, { securityContext: {} })), /violates PodSecurity .*capabilities/);
  }
}

/** The autoscaler has set two pods; the budget lets one of them go, and no other until it is replaced. */
export async function guarded(net: TestCluster): Promise<undefined> {
  await applied(net);
  const scene = Scene.of(net, NAMESPACE, '');
  const [first, second] = await scene.awaitReady(2);
  await eventually(async () => {
    const { status } = (await net.cluster.api('GET', BUDGET)) as { status: { disruptionsAllowed: number } };
    assert.equal(status.disruptionsAllowed, 1);
  }, PATIENT);
  const evict = (name: string | undefined) =>
    net.cluster.api('POST', `${CORE}/pods/${name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name },
    });
  await evict(first?.name);
  await assert.rejects(evict(second?.name), /disruption budget/);
  await scene.awaitReady(2);
}

/** A rolling restart, called through the target of `client.yaml`; pods beyond the autoscaler's least are left. */
export async function rolled(net: TestCluster): Promise<Row> {
  await applied(net);
  const scene = Scene.of(net, NAMESPACE, 'examples/kubernetes as it is: scale 2 → 4, rolling restart');
  const { env } = manifest<DeploymentManifest>('Deployment', 'hello-client').spec.template.spec.containers[0] ?? {};
  const target = env?.find(({ name }) => name === 'HELLO_TARGET')?.value;
  assert.ok(target !== undefined);
  await scene.awaitReady(2);
  await scene.call({ target });
  await scene.scale(4);
  await scene.awaitSettled(4);
  await eventually(async () => {
    const { status } = (await net.cluster.api('GET', AUTOSCALER)) as { status: { currentReplicas: number } };
    assert.equal(status.currentReplicas, 4, 'the autoscaler has seen them');
  }, PATIENT);
  await net.cluster.apply(SERVER, manifest('Deployment', 'hello'));
  const before = (await scene.awaitReady(4)).map(({ name }) => name);
  await scene.roll();
  const after = (await scene.awaitSettled(4)).map(({ name }) => name);
  assert.ok(!after.some((name) => before.includes(name)));
  await scene.awaitAnswersFrom(after);
  await eventually(async () => (await scene.allPods()).length === 4, PATIENT);
  return scene.close();
}

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  const plural = `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');
  return `${group}${namespace}/${plural}/${metadata.name}`;
}
