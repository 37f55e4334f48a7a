/** IPv4 and IPv6: pods of one family only, and a family that cannot be reached from here. */
import type { Facts, PodReport } from './facts.js';
import { type Finding, finding } from './findings.js';
import { count, list } from './wording.js';

export function judgeFamilies({ pods, target, name }: Facts): readonly Finding[] {
  if (target.isAddress) return [];
  const ipv6 = pods.filter(isIPv6);
  const ipv4 = pods.filter((pod) => !isIPv6(pod));
  if (ipv6.length === 0) return [];
  if (ipv4.length === 0) {
    const none = ipv6.every(isUnreachable);
    return [
      finding('ipv6-only', {
        weight: none ? 'error' : 'note',
        seen: [
          `${name} has AAAA records, and no A records: ${list(
            ipv6.map(({ address }) => address),
            3,
          )}.`,
          none
            ? `None of them can be reached from here: ${ipv6[0]?.failure?.message}.`
            : 'They can be reached from here.',
        ],
        remedy: none
          ? 'This pod needs IPv6: a cluster of two families, and ipFamilyPolicy: PreferDualStack for the Service.'
          : 'The client works as it is: it asks for A first, and then for AAAA. Ask for AAAA alone, and half of the queries are saved.',
        manifest: none ? ['spec:', '  ipFamilyPolicy: PreferDualStack', '  ipFamilies: [IPv4, IPv6]'].join('\n') : null,
        client: { headless: { dns: { family: "'ipv6'" } } },
      }),
    ];
  }
  const lost = unreachableFamily(pods);
  if (lost === null) return [];
  const [dead, other, family] = lost === 'IPv6' ? [ipv6, 'IPv4', 'ipv4'] : [ipv4, 'IPv6', 'ipv6'];
  return [
    finding('family-unreachable', {
      weight: lost === 'IPv4' ? 'error' : 'note',
      seen: [
        `${count(dead.length, `${lost} address`, `${lost} addresses`)}, none can be reached: ${list(
          dead.map(({ address }) => address),
          3,
        )} (${dead[0]?.failure?.message}).`,
        `${other} works.`,
      ],
      remedy:
        lost === 'IPv4'
          ? 'The client asks for A records first, and so dials addresses that cannot be reached. Let it ask for AAAA alone.'
          : "The client asks for A records first, and so does not need IPv6. Do not set family: 'dual' or 'ipv6' here.",
      client: { headless: { dns: { family: `'${family}'` } } },
    }),
  ];
}

/** The family of which no address can be reached, while the other one works; null where there is none. */
export function unreachableFamily(pods: readonly PodReport[]): 'IPv4' | 'IPv6' | null {
  const groups = [pods.filter((pod) => !isIPv6(pod)), pods.filter(isIPv6)] as const;
  const [ipv4, ipv6] = groups.map((group) => group.length > 0 && group.every(isUnreachable));
  if (groups.some((group) => group.length === 0) || ipv4 === ipv6) return null;
  return ipv4 ? 'IPv4' : 'IPv6';
}

export function isIPv6({ address }: PodReport): boolean {
  return address.startsWith('[');
}

/** TLS and HTTP/2 are not about families. */
function isUnreachable({ failure, connectMs }: PodReport): boolean {
  return failure !== null && connectMs === null;
}
