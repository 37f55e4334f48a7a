/** Which fully qualified names a host name may stand for, in the order to ask for them. Pure. */
import { hostnameFault } from './hostname.js';

export interface SearchRules {
  /** Domains without final dots. */
  readonly search: readonly string[];
  /** A name with at least this many dots is asked for as it is before the search list is tried. */
  readonly ndots: number;
}

/**
 * glibc's order (resolv.conf(5), `ndots`). An absolute name stands for itself only. Combinations that DNS cannot be
 * asked for, such as too long ones, are left out.
 */
export function candidateNames(hostname: string, absolute: boolean, { search, ndots }: SearchRules): readonly string[] {
  if (absolute) return [hostname];
  const searched = search.map((domain) => `${hostname}.${domain}`);
  const dots = hostname.split('.').length - 1;
  const names = dots >= ndots ? [hostname, ...searched] : [...searched, hostname];
  return [...new Set(names)].filter((name) => hostnameFault(name) === undefined);
}

/** What the search list says about the candidates for a Service's name. */
export interface SearchScope {
  /** If all of these are denied, the Service has no address, whatever comes of the other candidates. Not empty. */
  readonly decisive: ReadonlySet<string>;
  /** The candidate of the form `<service>.<namespace>.svc.<domain>`; null where there is none. */
  readonly serviceName: string | null;
}

/**
 * A pod's search list has `<namespace>.svc.<domain>`, `svc.<domain>` and `<domain>`: then the candidates under the
 * cluster's domain are decisive. A list without these three has no such form, and then every candidate that it makes is.
 * The others are asked of servers outside the cluster, which may not be reached from it.
 *
 * @param candidates at least one.
 */
export function searchScope(hostname: string, candidates: readonly string[], search: readonly string[]): SearchScope {
  const domains = clusterDomains(search);
  const inCluster = candidates.filter((name) => domains.some((domain) => name.endsWith(`.${domain}`)));
  const searched = candidates.filter((name) => name !== hostname);
  const decisive = [inCluster, searched, candidates].find((names) => names.length > 0) ?? [];
  return {
    decisive: new Set(decisive),
    serviceName: inCluster.find((name) => domains.some((domain) => isServiceName(name, domain))) ?? null,
  };
}

function clusterDomains(search: readonly string[]): readonly string[] {
  return search.flatMap((entry) => {
    const domain = /^[^.]+\.svc\.(.+)$/.exec(entry)?.[1];
    return domain !== undefined && search.includes(domain) && search.includes(`svc.${domain}`) ? [domain] : [];
  });
}

function isServiceName(name: string, domain: string): boolean {
  if (!name.endsWith(`.svc.${domain}`)) return false;
  const labels = name.slice(0, -`.svc.${domain}`.length).split('.');
  // What ends with a label such as `_tcp` stands before the Service's own labels.
  return labels.length - (labels.findLastIndex((label) => label.startsWith('_')) + 1) === 2;
}
