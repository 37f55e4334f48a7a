/** The rules that the manifests of `examples/kubernetes/` keep. That an API server accepts them: test/e2e/cluster. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import {
  type ContainerManifest,
  type DeploymentManifest,
  EXAMPLES,
  type Manifest,
  manifest,
  manifestFiles,
  manifestsIn,
  manifestsOf,
  type NetworkPolicyManifest,
  type Selector,
  type ServiceManifest,
} from '../support/example-manifests.js';
import { brokenLinksOf } from '../support/markdown.js';

const deployments = manifestsOf<DeploymentManifest>('Deployment');
const server = manifest<DeploymentManifest>('Deployment', 'hello');
const client = manifest<DeploymentManifest>('Deployment', 'hello-client');

function containerOf({ spec }: DeploymentManifest): ContainerManifest {
  const [container, another] = spec.template.spec.containers;
  assert.ok(container !== undefined && another === undefined, 'one container');
  return container;
}

/** The server's one port: what its program listens on. */
function serverPort(): number {
  const port = Number(containerOf(server).env.find(({ name }) => name === 'PORT')?.value);
  assert.ok(port > 0);
  return port;
}

function matches({ matchLabels = {} }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
}

test('every object of the example is in its namespace, and kustomization.yaml lists every file but rbac.yaml, which nothing here needs', () => {
  const objects = manifestFiles().flatMap(manifestsIn);
  const [namespace] = manifestsIn('namespace.yaml');
  for (const { kind, metadata } of objects.filter(({ kind }) => kind !== 'Namespace'))
    assert.equal(metadata.namespace, namespace?.metadata.name, `${kind} ${metadata.name}`);
  const { resources } = parse(readFileSync(new URL('kustomization.yaml', EXAMPLES), 'utf8')) as { resources: string[] };
  assert.deepEqual(
    resources.toSorted(),
    manifestFiles().filter((file) => file !== 'rbac.yaml'),
  );
});

test('every link of the walk-through leads to a file and a heading that exist', () => {
  assert.deepEqual(brokenLinksOf(fileURLToPath(new URL('../../', EXAMPLES)), 'examples/kubernetes/README.md'), []);
});

test('the namespace enforces the profile restricted of a given version', () => {
  const { labels = {} } = manifest<Manifest>('Namespace', 'shop').metadata;
  assert.equal(labels['pod-security.kubernetes.io/enforce'], 'restricted');
  assert.match(labels['pod-security.kubernetes.io/enforce-version'] ?? '', /^v1\.\d+$/);
  assert.equal(labels['pod-security.kubernetes.io/warn'], 'restricted');
});

for (const deployment of deployments) {
  const { name } = deployment.metadata;
  const { selector, template } = deployment.spec;

  test(`the pods of ${name} have no token, no root and no file to write`, () => {
    assert.equal(template.spec.automountServiceAccountToken, false);
    const { runAsNonRoot, runAsUser, runAsGroup, seccompProfile } = template.spec.securityContext;
    assert.equal(runAsNonRoot, true);
    assert.ok(runAsUser > 0 && runAsGroup > 0);
    assert.equal(seccompProfile.type, 'RuntimeDefault');
    const { securityContext } = containerOf(deployment);
    assert.deepEqual(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test(`the selector of ${name} matches its own pods alone`, () => {
    assert.ok(Object.keys(selector.matchLabels ?? {}).length > 0);
    for (const other of deployments)
      assert.equal(matches(selector, other.spec.template.metadata.labels), other === deployment, other.metadata.name);
  });
}

test('one port goes through the server, its probe, the Services and the policies', () => {
  const port = serverPort();
  const { ports = [], readinessProbe } = containerOf(server);
  assert.deepEqual(ports, [{ name: 'grpc', containerPort: port }]);
  assert.equal(readinessProbe?.grpc.port, port);
  for (const { metadata, spec } of manifestsOf<ServiceManifest>('Service'))
    assert.deepEqual(spec.ports, [{ name: 'grpc', port, targetPort: ports[0]?.name }], metadata.name);
  const { ingress } = manifest<NetworkPolicyManifest>('NetworkPolicy', 'hello').spec;
  assert.deepEqual(
    ingress?.map((rule) => rule.ports),
    [[{ protocol: 'TCP', port }]],
  );
  const { egress } = manifest<NetworkPolicyManifest>('NetworkPolicy', 'hello-client').spec;
  const dns = ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 }));
  assert.deepEqual(
    egress?.map((rule) => rule.ports),
    [dns, [{ protocol: 'TCP', port }]],
  );
});

test('the Services select the servers; one is headless, and the other has an address', () => {
  for (const { metadata, spec } of manifestsOf<ServiceManifest>('Service')) {
    assert.deepEqual(spec.selector, server.spec.template.metadata.labels, metadata.name);
    assert.equal(spec.clusterIP, metadata.name === 'hello' ? 'None' : undefined);
  }
});

test('the client calls the headless Service by its absolute name', () => {
  const { metadata, spec } = manifest<ServiceManifest>('Service', 'hello');
  const target = containerOf(client).env.find(({ name }) => name === 'HELLO_TARGET')?.value;
  assert.equal(target, `${metadata.name}.${metadata.namespace}.svc.cluster.local:${spec.ports[0]?.port}`);
});

test('the policies deny what they do not name, and select the pods that are there', () => {
  const all = manifest<NetworkPolicyManifest>('NetworkPolicy', 'default-deny').spec;
  assert.deepEqual(all, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  for (const deployment of [server, client]) {
    const { podSelector } = manifest<NetworkPolicyManifest>('NetworkPolicy', deployment.metadata.name).spec;
    assert.deepEqual(podSelector.matchLabels, deployment.spec.template.metadata.labels);
  }
  const { ingress } = manifest<NetworkPolicyManifest>('NetworkPolicy', 'hello').spec;
  const { egress } = manifest<NetworkPolicyManifest>('NetworkPolicy', 'hello-client').spec;
  assert.deepEqual(ingress?.[0]?.from, [{ podSelector: client.spec.selector }]);
  assert.deepEqual(egress?.[1]?.to, [{ podSelector: server.spec.selector }]);
});

test('a rollout loses no call: the pod serves on for longer than the interval, and its calls may end', () => {
  const { terminationGracePeriodSeconds: grace } = server.spec.template.spec;
  const preStop = containerOf(server).lifecycle?.preStop.sleep.seconds ?? 0;
  // The default interval of 5 s with its jitter of a tenth, and a quarter of a cache's usual 30 s.
  assert.ok(preStop > Math.max(5.5, 30 / 4));
  assert.ok(grace > preStop);
  assert.equal(server.spec.strategy?.rollingUpdate.maxUnavailable, 0);
  assert.ok((server.spec.minReadySeconds ?? 0) > 0);
});

test('the budget and the autoscaler are for the server, and the autoscaler alone sets its number of pods', () => {
  const [budget] = manifestsOf<Manifest & { spec: { maxUnavailable: number; selector: Selector } }>(
    'PodDisruptionBudget',
  );
  assert.deepEqual(budget?.spec.selector, server.spec.selector);
  const [autoscaler] = manifestsOf<Manifest & { spec: { scaleTargetRef: object; minReplicas: number } }>(
    'HorizontalPodAutoscaler',
  );
  const { apiVersion, kind, metadata, spec } = server;
  assert.deepEqual(autoscaler?.spec.scaleTargetRef, { apiVersion, kind, name: metadata.name });
  assert.equal(spec.replicas, undefined);
  assert.ok(autoscaler.spec.minReplicas > (budget?.spec.maxUnavailable ?? 0), 'a drain leaves a pod');
  assert.ok(containerOf(server).resources.requests['cpu'], 'a share of CPU is a share of the request');
});
