/**
 * Whose is the one address that a name has: a pod's, or a Service's cluster IP? DNS tells it where it has PTR or SRV
 * records, as CoreDNS does; the environment tells it for Services of the pod's own namespace.
 */
import { Resolver } from 'node:dns/promises';
import { formatServer, type ServerAddress } from '../../dns/settings.js';
import type { DnsAsker } from './dns-asker.js';
import type { ServiceEvidence } from './facts.js';

export interface ServiceQuestion {
  readonly server: ServerAddress;
  /** The fully qualified name. */
  readonly name: string;
  /** Of one pod or one Service: at most one for each family. */
  readonly addresses: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
}

export async function probeService(
  asker: DnsAsker,
  { server, name, addresses, env, timeoutMs }: ServiceQuestion,
): Promise<Omit<ServiceEvidence, 'sameTwice'>> {
  const [pointers, targets, podNames] = await Promise.all([
    askPointers(server, addresses, timeoutMs),
    askTargets(asker, server, name),
    Promise.all(addresses.map((address) => askPodName(asker, server, name, address))),
  ]);
  return {
    addresses,
    pointers,
    targets,
    podName: podNames.includes(true) ? 'exists' : 'missing',
    variable: variableWith(addresses, env),
  };
}

/** `node:dns` asks for PTR, which the resolver of the library never needs. */
async function askPointers(
  server: ServerAddress,
  addresses: readonly string[],
  timeoutMs: number,
): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers([formatServer(server)]);
  const names = await Promise.all(
    addresses.map((address) => resolver.resolvePtr(pointerName(address)).catch(() => [])),
  );
  return [...new Set(names.flat().map((name) => name.toLowerCase().replace(/\.$/, '')))];
}

/** `resolver.reverse` would look into /etc/hosts first. RFC 1035 section 3.5, RFC 3596 section 2.5. */
export function pointerName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => '0');
  const all = [...groups(head), ...(address.includes('::') ? zeros : []), ...groups(tail)];
  const digits = all.map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}

/** CoreDNS answers SRV for a Service's plain name: the Service itself for a cluster IP, or else its pods. */
async function askTargets(asker: DnsAsker, server: ServerAddress, name: string): Promise<readonly string[]> {
  const { services } = await asker.askWhole(server, { hostname: name, type: 'SRV' });
  return [...new Set(services.map(({ target }) => target).filter((target) => target !== ''))];
}

async function askPodName(asker: DnsAsker, server: ServerAddress, name: string, address: string): Promise<boolean> {
  const isIPv6 = address.includes(':');
  const hostname = `${address.replace(/[.:]/g, '-').replace(/^-|-$/g, '')}.${name}`;
  const { outcome } = await asker.askWhole(server, { hostname, type: isIPv6 ? 'AAAA' : 'A' });
  return outcome.kind === 'addresses' && outcome.addresses.includes(address);
}

/** Kubernetes sets `<SERVICE>_SERVICE_HOST` for each Service with a cluster IP in the pod's namespace, for no other. */
function variableWith(addresses: readonly string[], env: ServiceQuestion['env']): string | null {
  const found = Object.entries(env).find(
    ([variable, value]) => variable.endsWith('_SERVICE_HOST') && value !== undefined && addresses.includes(value),
  );
  return found?.[0] ?? null;
}
