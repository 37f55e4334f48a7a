/** Is there a headless Service behind the name? A cluster IP, a name that does not exist, a name without addresses. */
import { isLocalhost } from '../../dns/local-names.js';
import { parseServiceName } from '../../dns/service-name.js';
import type { Facts, ServiceEvidence } from './facts.js';
import { type Finding, finding } from './findings.js';
import { count, duration, list } from './wording.js';

/** What is left where a cluster IP or a balancer of layer 4 has to stay. */
const ONLY_CONNECTIONS =
  'If the address has to stay (a cluster IP, or a balancer of layer 4), `balance: { connections: 4 }` is the only cure: it opens ' +
  'several connections to the one address and spreads the calls over them. It cannot choose pods: two connections may ' +
  'reach the same pod, a new pod gets calls only by a new connection, and a pod that leaves is not drained.';

export function judgeService(facts: Facts): readonly Finding[] {
  const { target, name, search } = facts;
  if (target.isAddress)
    return [
      finding('literal-address', {
        weight: 'note',
        seen: [
          isLocalhost(target.hostname)
            ? `${target.hostname} is the loopback address of this host (RFC 6761 section 6.3): no DNS server is asked for it.`
            : `${target.hostname} is an address.`,
        ],
        remedy: `Write the name of a headless Service in its place, and the client follows its pods. ${ONLY_CONNECTIONS}`,
      }),
    ];
  if (name === null) return search === null ? [] : judgeMissingName(facts);
  return facts.service === null ? [] : judgeOneAddress(facts, facts.service, name);
}

function judgeOneAddress(facts: Facts, evidence: ServiceEvidence, found: string): readonly Finding[] {
  const { addresses, pointers, targets, podName, variable, sameTwice } = evidence;
  const name = parseServiceName(found)?.service ?? found;
  const seen: string[] = [
    `${name} has ${addresses.length === 1 ? 'one address' : 'one address of each family'}: ${list(addresses)}.`,
  ];
  if (sameTwice === true) seen.push('Asked twice, two seconds apart, it was the same.');
  if (sameTwice === false) seen.push('Asked twice, two seconds apart, it was another one: so it is no cluster IP.');
  if (pointers.length > 0) seen.push(`The address has the name (PTR) ${list(pointers)}.`);
  if (targets.length > 0) seen.push(`The SRV records of the name point to ${list(targets)}.`);
  if (variable !== null)
    seen.push(`The environment has the address in ${variable}, which Kubernetes sets for cluster IPs alone.`);
  const isService =
    pointers.some(isServiceName) || pointers.includes(name) || targets.includes(name) || variable !== null;
  if (isService)
    return [
      finding('cluster-ip', {
        weight: 'error',
        seen,
        remedy:
          'Add a headless Service with the same selector (the cluster IP of an existing Service cannot be altered). A headless ' +
          `Service maps no ports: the client dials the pods' own port, the targetPort. ${tlsName(facts)}${ONLY_CONNECTIONS}`,
        manifest: headlessManifest(facts, name),
        client: { target: headlessTarget(facts, name) },
      }),
    ];
  const isPod =
    podName === 'exists' || [...pointers, ...targets].some((each) => isPodName(each) || each.endsWith(`.${name}`));
  if (isPod) return [];
  if (pointers.length === 0) seen.push('The address has no name (PTR).');
  return [
    finding('one-address', {
      weight: 'note',
      seen,
      remedy:
        'If the Service has one ready pod, all is well. Otherwise it is a cluster IP or a balancer: ' +
        `kubectl get service shows None under CLUSTER-IP for a headless Service. ${ONLY_CONNECTIONS}`,
      manifest: headlessManifest(facts, name),
    }),
  ];
}

/** `<service>.<namespace>.svc.<domain>`. */
function isServiceName(name: string): boolean {
  return /^[^.]+\.[^.]+\.svc\./.test(name);
}

/** `<pod>.<service>.<namespace>.svc.<domain>`. */
function isPodName(name: string): boolean {
  return /^[^.]+\.[^.]+\.[^.]+\.svc\./.test(name);
}

function headlessManifest({ target }: Facts, name: string): string {
  const [service = 'hello', namespace = 'default'] = name.split('.');
  return [
    'apiVersion: v1',
    'kind: Service',
    `metadata: { name: ${service}-headless, namespace: ${namespace} }`,
    'spec:',
    '  clusterIP: None        # this line makes it headless',
    `  selector: { ... }      # as in the Service ${service}`,
    `  ports: [{ name: grpc, port: ${target.port ?? 50_051} }]`,
  ].join('\n');
}

/** Of the Service in that manifest. */
function headlessTarget({ target }: Facts, name: string): string {
  const [service = '', ...rest] = name.split('.');
  const full = [`${service}-headless`, ...rest].join('.');
  const port = /^_[^.]+\._tcp\./.exec(target.hostname)?.[0] ?? '';
  return target.port === null ? `${port}${full}.` : `${full}.:${target.port}`;
}

function tlsName({ target }: Facts): string {
  return target.tls ? 'With TLS the certificate has to be for the new name. ' : '';
}

function judgeMissingName(facts: Facts): readonly Finding[] {
  const { target, resolver, answers, search } = facts;
  const exists = answers.find(({ outcome }) => outcome.kind === 'empty' && outcome.rcode === 'NODATA');
  const { spellings = [], namespaces = [], namespaceExists = null, namespace = null } = search ?? {};
  const asked = `NXDOMAIN for ${list(resolver.names, 6)}.`;
  const namedPort = parseServiceName(target.hostname)?.port;
  const itself = spellings.find((each) => resolver.names.some((name) => parseServiceName(name)?.service === each));
  if (namedPort !== undefined && itself !== undefined)
    return [
      finding('no-such-port', {
        weight: 'error',
        seen: [asked, `The Service ${itself} exists.`],
        remedy: `Give the port the name ${namedPort} in the Service, or write its number: ${itself}.:50051.`,
        manifest: ['spec:', `  ports: [{ name: ${namedPort}, port: 50051 }]`].join('\n'),
        client: { target: `${itself}.:50051` },
      }),
    ];
  if (spellings.length > 0 || namespaces.length > 0) {
    const seen = [exists ? `${exists.name} exists, and has no such record.` : asked];
    if (namespaces.length > 0) seen.push(`A Service of this name answers in the namespace ${list(namespaces)}.`);
    if (spellings.length > 0) seen.push(`These names answer: ${list(spellings)}.`);
    if (namespaceExists === false) seen.push(`The namespace ${namespace} does not exist.`);
    const right = rightName(facts);
    return [
      finding('wrong-name', {
        weight: 'error',
        seen,
        remedy: `Write the name that you mean. The nearest one that answers is ${right}.`,
        ...(right === null
          ? {}
          : { client: { target: target.port === null ? `${right}.` : `${right}.:${target.port}` } }),
      }),
    ];
  }
  if (exists)
    return [
      finding('no-address', {
        weight: 'error',
        seen: [
          `NODATA for ${exists.name}: the name exists, without ${target.port === null ? 'SRV' : 'A or AAAA'} records.`,
        ],
        remedy:
          'A name of this kind is a namespace, a Service of type ExternalName, or one whose pods have no address. Compare with ' +
          'kubectl get service and kubectl get endpointslices.',
      }),
    ];
  const ttlMs = Math.max(0, ...answers.map(({ outcome }) => (outcome.kind === 'empty' ? outcome.ttlMs : 0)));
  const seen = [asked];
  if (namespaceExists === true) seen.push(`The namespace ${namespace} exists.`);
  if (namespaceExists === false) seen.push(`The namespace ${namespace} does not exist.`);
  seen.push(`None of ${count(search?.asked ?? 0, 'other name')} that were tried answers either.`);
  if (ttlMs > 0) seen.push(`A denial may stay in a cache for ${duration(ttlMs)}.`);
  return [
    finding('name-not-found', {
      weight: 'error',
      seen,
      remedy:
        'A headless Service without a ready pod has no name in DNS. See kubectl get endpointslices: if it lists no ready address, ' +
        'compare the selector of the Service with the labels of the pods, and look at their readiness probes. If the pods are ready, ' +
        'the name is wrong: <service>.<namespace>.svc.<domain>. To publish pods that are not ready yet, set publishNotReadyAddresses.',
    }),
  ];
}

/** Another namespace is likelier than another spelling: both parts were written with care. */
function rightName({ search, target }: Facts): string | null {
  if (search === null) return null;
  const [namespace] = search.namespaces;
  const [spelling] = search.spellings;
  const port = /^_[^.]+\._tcp\./.exec(target.hostname)?.[0] ?? '';
  if (namespace !== undefined) return port + search.nameIn[namespace];
  return spelling === undefined ? null : port + spelling;
}
