/** Proxies in the environment, and copies of grpc-js that do not know each other's classes. */
import { coversHost } from '../../proxy.js';
import type { Facts } from './facts.js';
import { type Finding, finding } from './findings.js';

/** Names of the cluster with and without a final dot, and a common range of its addresses. */
const CLUSTER = ['.svc', '.svc.', '.cluster.local', '.cluster.local.', '10.0.0.0/8'];

function exclusions(host: string): readonly string[] {
  return coversHost(CLUSTER, host) ? CLUSTER : [...CLUSTER, host];
}

export function judgeEnvironment({ environment }: Facts): readonly Finding[] {
  const { proxy, proxyExcluded, proxyHost, grpcCopies } = environment;
  const findings: Finding[] = [];
  if (proxy !== null && !proxyExcluded)
    findings.push(
      finding('proxy-in-environment', {
        weight: 'warning',
        seen: [`${proxy.variable} is ${proxy.value}, and no_grpc_proxy or no_proxy does not exclude ${proxyHost}.`],
        remedy:
          'grpc-headless takes no proxy unless grpc.enable_http_proxy is set to 1; leave it out. Bare grpc-js clients in the same ' +
          'process do take it, and their calls go to the proxy: exclude the cluster, or set the option to 0 for them too. grpc-js compares the ends of names as they are written, so a name ' +
          'with a final dot needs an entry with one.',
        manifest: [
          '# In the container',
          'env:',
          `  - { name: no_grpc_proxy, value: '${exclusions(proxyHost).join(',')}' }`,
        ].join('\n'),
        client: { channel: ["'grpc.enable_http_proxy': 0"] },
      }),
    );
  if (grpcCopies.length > 1) {
    const project = grpcCopies.find(({ usedByProject }) => usedByProject);
    const headless = grpcCopies.find(({ usedByHeadless }) => usedByHeadless);
    const apart = project !== undefined && headless !== undefined && project !== headless;
    findings.push(
      finding('second-grpc-js', {
        weight: apart ? 'error' : 'warning',
        seen: grpcCopies.map(({ path, version, usedByProject, usedByHeadless }) => {
          const users = [...(usedByProject ? ['your code'] : []), ...(usedByHeadless ? ['grpc-headless'] : [])];
          return `${version} in ${path}${users.length > 0 ? `, used by ${users.join(' and ')}` : ''}`;
        }),
        remedy:
          'Credentials and clients of one copy fail instanceof in the other ("Channel credentials must be a ChannelCredentials object", ' +
          '"Name resolution failed for target dns:headless:..."). Run npm dedupe; a package of your own must have @grpc/grpc-js as a peer dependency.',
        manifest: ['npm dedupe', 'npm ls @grpc/grpc-js    # must show one version'].join('\n'),
      }),
    );
  }
  return findings;
}
