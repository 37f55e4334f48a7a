/** Runs the probes: names first, then at the same time whatever needs what they found. Every step has its own limit of time. */
import { setMaxListeners } from 'node:events';
import { type Address, formatHostPort } from '../../address.js';
import type { Transport } from '../../dns/exchange.js';
import { localAddresses } from '../../dns/local-names.js';
import type { RecordType } from '../../dns/message.js';
import { ResolvConfFile } from '../../dns/resolv-conf.js';
import { candidateNames } from '../../dns/search-list.js';
import { parseServiceName } from '../../dns/service-name.js';
import { formatServer, type ServerAddress } from '../../dns/settings.js';
import type { Runtime } from '../../runtime.js';
import { formatAuthority, hostOf } from '../../target.js';
import { probeCache } from './cache-probe.js';
import { type AnswerWithServices, DnsAsker } from './dns-asker.js';
import { probeEnvironment } from './environment-probe.js';
import type { Facts, ResolverFacts, ServiceEvidence } from './facts.js';
import { addressesOf, foundName, namesWithRecords, probeNames } from './name-probe.js';
import { probePod } from './pod-probe.js';
import { podsOfServices } from './service-pods.js';
import { probeService } from './service-probe.js';
import type { DoctorSettings } from './settings.js';
import { probeSpelling } from './spelling-probe.js';
import { count, list } from './wording.js';

/** For the search of other spellings, which may take hundreds of queries. */
const SPELLING_MS = 2_000;
const DEFAULT_NDOTS = 1;

export interface Surroundings extends Pick<Runtime, 'clock' | 'random'> {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the packages of the project are looked for. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told what is being done, in a few words. */
  readonly progress: (step: string) => void;
}

/** Rejects only with the signal's reason. */
export async function examine(settings: DoctorSettings, surroundings: Surroundings): Promise<Facts> {
  // Each query and each connection listens for the interruption: there may be hundreds.
  setMaxListeners(0, surroundings.signal);
  return new Examination(settings, surroundings).run();
}

class Examination {
  readonly #settings: DoctorSettings;
  readonly #surroundings: Surroundings;
  readonly #asker: DnsAsker;
  /** Of a target that DNS is not asked for; null for others. With the default `dns.family`, as the first client has. */
  readonly #local: readonly string[] | null;

  constructor(settings: DoctorSettings, surroundings: Surroundings) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#asker = new DnsAsker(surroundings.clock, settings.timeoutMs, surroundings.signal);
    this.#local = localAddresses(settings.target.hostname, 'auto');
  }

  async run(): Promise<Facts> {
    const { target, tls, intervalMs, idleMs, text } = this.#settings;
    const { env, folder, progress } = this.#surroundings;
    const { resolver, servers } = this.#readResolver();
    progress(`asking ${list(resolver.servers)} for ${count(resolver.names.length, 'name')}`);
    const answers = this.#local ? [] : await probeNames(this.#asker, servers, resolver.names, this.#types());
    const name = foundName(resolver.names, answers);
    const responding = servers.filter((server) => hasResponded(answers, server));
    const pods = await this.#pods(answers, name, responding);
    const tried = pods.slice(0, this.#settings.maxPods);
    if (name !== null || this.#local)
      progress(`connecting to ${count(tried.length, 'pod')}, watching TTLs and idle connections`);
    const [readings, evidence, search, wildcards, reports] = await Promise.all([
      this.#readings(answers, name, responding),
      this.#evidence(answers, name, pods, responding),
      this.#search(
        name,
        resolver,
        servers.filter((server) => hasDenied(answers, server)),
      ),
      this.#wildcards(answers, resolver, responding),
      Promise.all(tried.map((pod) => this.#probePod(pod))),
    ]);
    return {
      target: {
        text,
        hostname: target.hostname,
        port: target.port,
        absolute: target.absolute,
        isAddress: this.#local !== null,
        tls: tls !== null,
        ca: this.#settings.caPath,
        intervalMs,
        podsNotTried: pods.length - tried.length,
        idleMs,
      },
      resolver,
      answers: answers.map(({ services: _, ...answer }) => answer),
      name,
      addresses: pods.map(({ host, port }) => formatHostPort(host, port)),
      readings,
      service: evidence && { ...evidence, sameTwice: target.port === null ? null : sameTwice(evidence, readings) },
      search,
      wildcards,
      environment: probeEnvironment(env, hostOf(target), folder),
      pods: reports,
    };
  }

  #types(): readonly RecordType[] {
    return this.#settings.target.port === null ? ['SRV'] : ['A', 'AAAA'];
  }

  /** The first type that the name has records of. */
  #typeOf(answers: readonly AnswerWithServices[], name: string): RecordType {
    const types = this.#types();
    return types.find((type) => addressesOf(answers, name, type).length > 0) ?? (types[0] as RecordType);
  }

  #readResolver(): { readonly resolver: ResolverFacts; readonly servers: readonly ServerAddress[] } {
    const { target, servers: given, resolvConf } = this.#settings;
    const file = new ResolvConfFile(resolvConf);
    const { servers: listed, search, ndots = DEFAULT_NDOTS } = file.read();
    const own = target.server ? [target.server] : given;
    const servers = this.#local ? [] : (own ?? listed);
    const names = this.#local ? [] : candidateNames(target.hostname, target.absolute, { search, ndots });
    const resolver = {
      path: resolvConf,
      problem: file.problem,
      serversGiven: own !== null,
      servers: servers.map(formatServer),
      search,
      ndots,
      names,
    };
    return { resolver, servers };
  }

  /** Of all servers, IPv4 first. */
  async #pods(
    answers: readonly AnswerWithServices[],
    name: string | null,
    responding: readonly ServerAddress[],
  ): Promise<readonly Address[]> {
    const { port } = this.#settings.target;
    if (port !== null && this.#local) return this.#local.map((host) => ({ host, port }));
    if (name === null) return [];
    if (port === null) return podsOfServices(this.#asker, answers, name, responding);
    return (['A', 'AAAA'] as const).flatMap((type) => addressesOf(answers, name, type)).map((host) => ({ host, port }));
  }

  #readings(
    answers: readonly AnswerWithServices[],
    name: string | null,
    responding: readonly ServerAddress[],
  ): Promise<Facts['readings']> {
    const { clock, signal } = this.#surroundings;
    if (name === null) return Promise.resolve([]);
    const type = this.#typeOf(answers, name);
    return Promise.all(
      responding.map((server) =>
        probeCache(
          this.#asker,
          server,
          { hostname: name, type },
          { transport: transportOf(answers, server), clock, signal },
        ),
      ),
    );
  }

  /** Only where one address of a family was found, which may be a Service's. */
  async #evidence(
    answers: readonly AnswerWithServices[],
    name: string | null,
    pods: readonly Address[],
    [server]: readonly ServerAddress[],
  ): Promise<Omit<ServiceEvidence, 'sameTwice'> | null> {
    const { timeoutMs, target } = this.#settings;
    if (name === null || server === undefined) return null;
    const ofService = target.port === null ? pods.map(({ host }) => host) : [];
    const sets = (['A', 'AAAA'] as const).map((type) => [...addressesOf(answers, name, type), ...ofService]);
    const addresses = [...new Set(sets.flat())];
    if (addresses.length === 0 || sets.some(({ length }) => length > 1)) return null;
    const service = parseServiceName(name)?.service ?? name;
    return probeService(this.#asker, { server, name: service, addresses, env: this.#surroundings.env, timeoutMs });
  }

  async #search(
    name: string | null,
    resolver: ResolverFacts,
    [server]: readonly ServerAddress[],
  ): Promise<Facts['search']> {
    const { clock, env, progress, signal } = this.#surroundings;
    const { target, timeoutMs } = this.#settings;
    if (name !== null || server === undefined || this.#local) return null;
    progress('looking for names near it');
    const deadline = new AbortController();
    const timer = clock.setTimer(SPELLING_MS, () => deadline.abort());
    try {
      // An asker of its own: what still waits for its turn at the deadline ends with it.
      const either = AbortSignal.any([signal, deadline.signal]);
      setMaxListeners(0, either);
      return await probeSpelling(new DnsAsker(clock, timeoutMs, either), {
        server,
        hostname: parseServiceName(target.hostname)?.service ?? target.hostname,
        isNamedPort: target.port === null,
        search: resolver.search,
        env,
        deadline: deadline.signal,
      });
    } finally {
      timer.cancel();
    }
  }

  /** Whether the domains in which names were found answer for any label. */
  async #wildcards(
    answers: readonly AnswerWithServices[],
    { names, search }: ResolverFacts,
    [server]: readonly ServerAddress[],
  ): Promise<readonly string[]> {
    const { hostname } = this.#settings.target;
    if (server === undefined) return [];
    const label = `x${Math.floor(this.#surroundings.random() * 2 ** 40).toString(36)}`;
    const found = namesWithRecords(names, answers);
    const suspects = found.filter((name) => search.some((domain) => name === `${hostname}.${domain}`));
    const probes = suspects.map(async (name) => {
      const type = this.#typeOf(answers, name);
      const { outcome } = await this.#asker.ask(server, { hostname: label + name.slice(hostname.length), type });
      return outcome.kind === 'addresses';
    });
    const wild = await Promise.all(probes);
    return suspects.filter((_, index) => wild[index]);
  }

  #probePod(pod: Address): Promise<Facts['pods'][number]> {
    const { target, tls, timeoutMs, idleMs } = this.#settings;
    const { clock, signal } = this.#surroundings;
    const hostname = parseServiceName(target.hostname)?.service ?? target.hostname;
    const authority = formatAuthority(target);
    return probePod(pod, { tls, authority, hostname, clock, timeoutMs: 2 * timeoutMs, signal, idleMs });
  }
}

/** TCP only where UDP brought nothing. */
function transportOf(answers: readonly AnswerWithServices[], server: ServerAddress): Transport {
  const overUdp = answers.filter(({ transport }) => transport === 'udp');
  return hasResponded(overUdp, server) ? 'udp' : 'tcp';
}

/** NXDOMAIN or NODATA for any of the names. */
function hasDenied(answers: readonly AnswerWithServices[], server: ServerAddress): boolean {
  const text = formatServer(server);
  return answers.some(({ server: asked, outcome }) => asked === text && outcome.kind === 'empty');
}

/** Anything but silence. */
function hasResponded(answers: readonly AnswerWithServices[], server: ServerAddress): boolean {
  const text = formatServer(server);
  return answers.some(({ server: asked, outcome }) => asked === text && outcome.kind !== 'failed');
}

function sameTwice({ addresses }: Omit<ServiceEvidence, 'sameTwice'>, [reading]: Facts['readings']): boolean | null {
  return reading?.addresses ? reading.addresses.every((address) => addresses.includes(address)) : null;
}
