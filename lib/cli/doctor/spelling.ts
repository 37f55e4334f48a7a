/** Other ways to write the name of a Service: what may have been meant by a name that DNS does not have. Pure. */

export interface ServiceParts {
  readonly service: string;
  readonly namespace: string;
  /** What follows the namespace, such as `svc.cluster.local`. */
  readonly suffix: string;
}

/** The domain of clusters that were not given another one. */
const DEFAULT_DOMAIN = 'cluster.local';
const DEFAULT_NAMESPACE = 'default';

/** A pod's search list begins with `<namespace>.svc.<domain>`; null where it does not. */
export function podDomain(search: readonly string[]): { readonly namespace: string; readonly domain: string } | null {
  for (const entry of search) {
    const [, namespace, domain] = /^([^.]+)\.svc\.(.+)$/.exec(entry) ?? [];
    if (namespace !== undefined && domain !== undefined) return { namespace, domain };
  }
  return null;
}

/**
 * `service`, `service.namespace`, `service.namespace.svc` or the full name, in parts; null for a name of another form.
 * @param search the search list without final dots.
 */
export function serviceParts(hostname: string, search: readonly string[]): ServiceParts | null {
  const own = podDomain(search);
  const [service = '', namespace = own?.namespace ?? DEFAULT_NAMESPACE, ...rest] = hostname.split('.');
  if (rest.length > 0 && rest[0] !== 'svc') return null;
  const domain = rest.slice(1).join('.') || own?.domain || DEFAULT_DOMAIN;
  return { service, namespace, suffix: `svc.${domain}` };
}

/** Endings that people add to the name of a headless Service, and forget to write. */
const ENDINGS = ['-headless', '-grpc', '-svc', '-service', '-server', '-hl', '-internal', '-api', '-pods'];

/** Changes of a whole word, and the slips of the keyboard that need no new letter. The likeliest come first. */
export function likelySpellings(label: string): readonly string[] {
  const spellings = new Set<string>();
  for (const ending of ENDINGS) {
    if (label.endsWith(ending)) spellings.add(label.slice(0, -ending.length));
    spellings.add(label + ending);
  }
  spellings.add(`headless-${label}`);
  spellings.add(label.endsWith('s') ? label.slice(0, -1) : `${label}s`);
  spellings.add(label.replaceAll('_', '-'));
  spellings.add(label.replaceAll('-', ''));
  for (let at = 0; at < label.length; at++) {
    const [before, here, after] = [label.slice(0, at), label.charAt(at), label.slice(at + 1)];
    spellings.add(before + after);
    spellings.add(before + here + here + after);
    if (after !== '') spellings.add(before + after.charAt(0) + here + after.slice(1));
    if (at > 0) spellings.add(`${before}-${here}${after}`);
  }
  return valid(spellings, label);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-';

/** Every name that has one letter more, or another letter in one place. */
export function otherLetters(label: string): readonly string[] {
  const spellings = new Set<string>();
  for (let at = 0; at <= label.length; at++)
    for (const letter of LETTERS) {
      spellings.add(label.slice(0, at) + letter + label.slice(at));
      if (at < label.length) spellings.add(label.slice(0, at) + letter + label.slice(at + 1));
    }
  return valid(spellings, label);
}

/** What a Service may be called (RFC 1123 labels), without the name itself. */
function valid(spellings: ReadonlySet<string>, label: string): readonly string[] {
  return [...spellings].filter((text) => text !== label && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text));
}

const USUAL_NAMESPACES = [
  DEFAULT_NAMESPACE,
  ...[
    'prod',
    'production',
    'staging',
    'stage',
    'dev',
    'development',
    'test',
    'testing',
    'qa',
    'uat',
    'preprod',
    'demo',
  ],
  ...['app', 'apps', 'backend', 'services', 'platform', 'infra', 'shared', 'common', 'api', 'grpc', 'core', 'internal'],
  ...['web', 'data', 'monitoring', 'observability', 'system', 'kube-system', 'tools', 'main'],
];

/**
 * Namespaces to look in: the pod's own, those that the environment names, one called as the Service, and usual ones.
 * DNS has no list of namespaces.
 */
export function likelyNamespaces(
  { service, namespace }: ServiceParts,
  search: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const named = Object.values(env).flatMap((value = '') =>
    Array.from(value.matchAll(/\b[a-z0-9-]+\.([a-z0-9-]+)\.svc\b/g), ([, name]) => name as string),
  );
  const own = podDomain(search)?.namespace;
  const all = new Set([...(own === undefined ? [] : [own]), ...named, service, ...USUAL_NAMESPACES]);
  all.delete(namespace);
  return [...all];
}
