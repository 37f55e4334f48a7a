/** The search list: a namesake, a name from outside the cluster, and queries that a full name would save. */
import { searchScope } from '../../dns/search-list.js';
import type { Facts } from './facts.js';
import { type Finding, finding } from './findings.js';
import { addressesOf, namesWithRecords } from './name-probe.js';
import { count, list } from './wording.js';

export function judgeNames(facts: Facts): readonly Finding[] {
  const { name, target } = facts;
  if (name === null || target.absolute) return [];
  const outside = judgeOutsideName(facts, name);
  // What would save queries for a stranger's name is of no use.
  return [...outside, ...judgeNamesakes(facts, name), ...(outside.length > 0 ? [] : judgeWaste(facts, name))];
}

/** Calls go to a stranger: the Service's own name has no address, and a name outside the cluster has. */
function judgeOutsideName({ target, resolver, wildcards }: Facts, name: string): readonly Finding[] {
  const { decisive, serviceName } = searchScope(target.hostname, resolver.names, resolver.search);
  if (serviceName === null || decisive.has(name)) return [];
  return [
    finding('outside-name', {
      weight: 'error',
      seen: [
        `${serviceName} has no address now.`,
        `${name} answers in its place.`,
        ...(wildcards.includes(name) ? ['Its domain answers for every name: it has a wildcard.'] : []),
      ],
      remedy: 'Write the full name of the Service with a final dot. Then no other name is asked for.',
      client: { target: withPort(serviceName, target.port) },
    }),
  ];
}

/** A name with the same addresses is the same Service. */
function judgeNamesakes(facts: Facts, name: string): readonly Finding[] {
  const { answers, resolver, target, wildcards } = facts;
  const setOf = (each: string): string =>
    (['A', 'AAAA', 'SRV'] as const).map((type) => [...addressesOf(answers, each, type)].sort().join(' ')).join('|');
  const others = namesWithRecords(resolver.names, answers).filter(
    (each) => each !== name && setOf(each) !== setOf(name),
  );
  if (others.length === 0) return [];
  return [
    finding('namesake', {
      weight: 'warning',
      seen: [
        `${name} is the name in use.`,
        ...others.map(
          (other) => `${other} answers too${wildcards.includes(other) ? ': its domain has a wildcard' : ''}.`,
        ),
      ],
      remedy:
        'Another client, or one that starts while the Service has no ready pod, may take the other host for the Service. Write ' +
        'the full name with a final dot.',
      client: { target: withPort(name, target.port) },
    }),
  ];
}

function judgeWaste({ answers, resolver, target }: Facts, name: string): readonly Finding[] {
  const before = resolver.names.indexOf(name);
  if (before <= 0) return [];
  const full = withPort(name, target.port);
  const dots = target.hostname.split('.').length - 1;
  const denied = answers.filter(
    ({ name: asked, outcome }) => resolver.names.indexOf(asked) < before && outcome.kind !== 'addresses',
  );
  const names = [...new Set(denied.map((answer) => answer.name))];
  return [
    finding('search-list-waste', {
      weight: 'note',
      seen: [
        dots < resolver.ndots
          ? `${target.hostname} has ${count(dots, 'dot')}, fewer than ndots (${resolver.ndots}): the search list comes first.`
          : `${target.hostname} was asked for as it is, and then through the search list.`,
        `${count(names.length, 'name')} in vain before ${name}: ${list(names, 4)}.`,
      ],
      remedy:
        `Write ${full}: one query in the place of ${before + 1}. ` +
        (target.tls
          ? `With TLS the certificate then has to be for ${name}.`
          : 'The final dot means that the search list is not used.'),
      // The authority, and so the name that a certificate must have, is the name as it is written.
      client: target.tls ? {} : { target: full },
    }),
  ];
}

function withPort(name: string, port: number | null): string {
  return port === null ? `${name}.` : `${name}.:${port}`;
}
