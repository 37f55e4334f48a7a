/**
 * Looks for what was meant by a name that DNS does not have: the same Service in other namespaces, and names that are
 * spelt nearly alike. DNS cannot be asked for a list of names, so that likely ones are asked for one by one.
 */
import { hostnameFault } from '../../dns/hostname.js';
import type { ServerAddress } from '../../dns/settings.js';
import type { DnsAsker } from './dns-asker.js';
import type { SpellingSearch } from './facts.js';
import { likelyNamespaces, likelySpellings, otherLetters, type ServiceParts, serviceParts } from './spelling.js';

export interface SpellingQuestion {
  /** One that answers. */
  readonly server: ServerAddress;
  /** As the user wrote it, without a final dot. */
  readonly hostname: string;
  /** A port of the Service was asked for by its name: the Service itself may exist. */
  readonly isNamedPort: boolean;
  readonly search: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the time for this search is over: what was found until then counts. */
  readonly deadline: AbortSignal;
}

/** @param asker whose queries the deadline ends. */
export async function probeSpelling(asker: DnsAsker, question: SpellingQuestion): Promise<SpellingSearch> {
  const search = new Search(asker, question);
  const parts = serviceParts(question.hostname, question.search);
  if (parts === null) {
    const [label = '', ...rest] = question.hostname.split('.');
    const name = (spelling: string): string => [spelling, ...rest].join('.');
    const spellings =
      (await search.first(likelySpellings(label).map(name))) ?? (await search.first(otherLetters(label).map(name)));
    return {
      spellings: spellings ?? [],
      namespaces: [],
      nameIn: {},
      namespaceExists: null,
      namespace: null,
      asked: search.asked,
    };
  }
  const { namespace } = parts;
  const [namespaceExists, namespaces] = await Promise.all([search.namespaceExists(parts), search.namespaces(parts)]);
  const spellings = await search.spellings(parts, question.isNamedPort);
  const nameIn = Object.fromEntries(namespaces.map((each) => [each, nameOf({ ...parts, namespace: each })]));
  return { spellings, namespaces, nameIn, namespaceExists, namespace, asked: search.asked };
}

class Search {
  readonly #asker: DnsAsker;
  readonly #question: SpellingQuestion;
  #asked = 0;

  constructor(asker: DnsAsker, question: SpellingQuestion) {
    this.#asker = asker;
    this.#question = question;
  }

  get asked(): number {
    return this.#asked;
  }

  /**
   * CoreDNS answers NODATA for `<namespace>.svc.<domain>` where the namespace exists, else NXDOMAIN. A server that
   * answers NXDOMAIN for a namespace that surely exists tells nothing.
   */
  async namespaceExists({ namespace, suffix }: ServiceParts): Promise<boolean | null> {
    const [wanted, sure] = await Promise.all([this.#ask(`${namespace}.${suffix}`), this.#ask(`kube-system.${suffix}`)]);
    if (wanted === 'nodata' || wanted === 'addresses') return true;
    return wanted === 'nxdomain' && sure === 'nodata' ? false : null;
  }

  async namespaces(parts: ServiceParts): Promise<readonly string[]> {
    const { search, env } = this.#question;
    const likely = likelyNamespaces(parts, search, env);
    const found = await this.#found(likely.map((namespace) => nameOf({ ...parts, namespace })));
    return likely.filter((namespace) => found.has(nameOf({ ...parts, namespace })));
  }

  /** The likeliest group that has any. */
  async spellings(parts: ServiceParts, itself: boolean): Promise<readonly string[]> {
    const { service, namespace } = parts;
    const swapped = nameOf({ ...parts, service: namespace, namespace: service });
    const withService = (text: string): string => nameOf({ ...parts, service: text });
    const withNamespace = (text: string): string => nameOf({ ...parts, namespace: text });
    return (
      (itself ? await this.first([nameOf(parts)]) : null) ??
      (await this.first([swapped, ...likelySpellings(service).map(withService)])) ??
      (await this.first(likelySpellings(namespace).map(withNamespace))) ??
      (await this.first(otherLetters(service).map(withService))) ??
      (await this.first(otherLetters(namespace).map(withNamespace))) ??
      []
    );
  }

  /** Those that have addresses; null where none has. */
  async first(names: readonly string[]): Promise<readonly string[] | null> {
    const found = await this.#found(names);
    return found.size > 0 ? names.filter((name) => found.has(name)) : null;
  }

  async #found(names: readonly string[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    const ask = async (name: string): Promise<void> => {
      if ((await this.#ask(name)) === 'addresses') found.add(name);
    };
    await Promise.all(names.filter((name) => hostnameFault(name) === undefined).map(ask));
    return found;
  }

  async #ask(hostname: string): Promise<'addresses' | 'nodata' | 'nxdomain' | 'failed'> {
    const { server, deadline } = this.#question;
    if (deadline.aborted) return 'failed';
    this.#asked += 1;
    const answer = await this.#asker.ask(server, { hostname, type: 'A' }).catch((error: unknown) => {
      if (!deadline.aborted) throw error;
      return null;
    });
    if (answer === null) return 'failed';
    const { outcome } = answer;
    switch (outcome.kind) {
      case 'addresses':
      case 'truncated':
        return 'addresses';
      case 'empty':
        return outcome.rcode === 'NXDOMAIN' ? 'nxdomain' : 'nodata';
      default:
        return 'failed';
    }
  }
}

function nameOf({ service, namespace, suffix }: ServiceParts): string {
  return `${service}.${namespace}.${suffix}`;
}
