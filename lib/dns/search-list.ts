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
