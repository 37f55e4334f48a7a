/** What one resolution does: which names it asks which servers for, how often and for how long. */
import type { Random } from '../runtime.js';
import { ResolvConfFile } from './resolv-conf.js';
import { candidateNames, type SearchScope, searchScope } from './search-list.js';
import type { DnsSettings, ServerAddress } from './settings.js';

export interface ResolutionPlan {
  /** In the order to ask them, before servers that did not respond are moved to the end. */
  readonly servers: readonly ServerAddress[];
  /** How often each server is asked; all of them take turns. */
  readonly rounds: number;
  /** For one server, one attempt. */
  readonly timeoutMs: number;
  /** Candidates in the order to ask for them. At least one. */
  readonly names: readonly string[];
  readonly scope: SearchScope;
  /** What the user can do if every server fails; null where there is nothing to say. */
  readonly advice: string | null;
}

const DEFAULT_TIMEOUT_MS = 1_000;
const DEFAULT_ATTEMPTS = 2;
const DEFAULT_NDOTS = 1;

/** Merges the settings, resolv.conf as it is at the moment, and the defaults. */
export class ResolutionPlanner {
  readonly #hostname: string;
  readonly #absolute: boolean;
  readonly #settings: DnsSettings;
  readonly #resolvConf: ResolvConfFile;
  /** Counts resolutions, from a random start, so that clients with `rotate` spread over the servers. */
  #turn: number;

  constructor(hostname: string, absolute: boolean, settings: DnsSettings, random: Random) {
    this.#hostname = hostname;
    this.#absolute = absolute;
    this.#settings = settings;
    this.#resolvConf = new ResolvConfFile(settings.resolvConf);
    this.#turn = Math.floor(random() * 1_000_000);
  }

  next(): ResolutionPlan {
    const { servers, timeoutMs, attempts, ndots } = this.#settings;
    const file = this.#resolvConf.read();
    const search = this.#settings.search ?? file.search;
    const listed = servers ?? file.servers;
    const start = file.rotate ? this.#turn++ % listed.length : 0;
    const names = candidateNames(this.#hostname, this.#absolute, {
      search,
      ndots: ndots ?? file.ndots ?? DEFAULT_NDOTS,
    });
    return {
      servers: [...listed.slice(start), ...listed.slice(0, start)],
      rounds: attempts ?? file.attempts ?? DEFAULT_ATTEMPTS,
      timeoutMs: timeoutMs ?? file.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      names,
      scope: searchScope(this.#hostname, names, search),
      advice: this.#advice(),
    };
  }

  /** Without resolv.conf the server is 127.0.0.1, as in glibc; the message explains why that one was asked. */
  #advice(): string | null {
    const { problem } = this.#resolvConf;
    return this.#settings.servers || problem === null ? null : `${problem}; name the servers in headless.dns.servers`;
  }
}
