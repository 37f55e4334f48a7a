/**
 * One topology zone of a headless Service, from DNS alone. CoreDNS's kubernetes plugin, with its option `zonal`, answers
 * `<zone>.prefer._zone.<service name>` with the zone's endpoints if there are any and else with all, and
 * `<zone>.pin._zone.<service name>` with the zone's alone. (https://coredns.io/plugins/kubernetes/, "Zonal Names".)
 *
 * `prefer` asks for both the zonal and the plain name: the plain answer is the set, the zonal one tells which of its hosts
 * are in the zone. `pin` uses the zonal answer alone. Both fall back to the plain name where the zonal one is NXDOMAIN and
 * the plain one has addresses: the option is off in this cluster, or in the replica that answered.
 *
 * The zonal name is always made of the full name that the plain one was found by, so that the search list cannot lead to
 * a zone of another Service.
 */
import type { Clock } from '../runtime.js';
import { BackgroundWork } from './background-work.js';
import { hostnameFault } from './hostname.js';
import type { QueryBits } from './message.js';
import type { NameResolver, ResolveOptions } from './name-resolver.js';
import type { Outcome, OutcomeSource, Resolution } from './resolution.js';
import type { ZoneSettings } from './settings.js';

/** So long after a fallback the zonal name is asked for again. */
const RETRY_MS = 30_000;
/**
 * So long after an answer for the zonal name its NXDOMAIN leads to no fallback: replicas of the server may differ, and
 * one without the option must not undo what another one has told.
 */
const HOLD_MS = 30_000;
/** How often `pin` looks whether the full name is still the Service's. A nearer one is then in use within 30 s. */
const LOCATE_MS = 6_000;

const NO_HOSTS: ReadonlySet<string> = new Set();

export interface ZonalResolverDependencies {
  /** Resolves the Service's name. */
  readonly plain: NameResolver;
  /** The Service's full name, where no search list applies; else null. */
  readonly fullName: string | null;
  /** Makes the resolver of another full name. */
  readonly createResolver: (fullName: string) => NameResolver;
  readonly clock: Pick<Clock, 'now'>;
}

export class ZonalResolver implements NameResolver {
  readonly #zone: ZoneSettings;
  readonly #dependencies: ZonalResolverDependencies;
  /** The full name that the plain one was found by; null until it was. */
  #fullName: string | null = null;
  /** Null also where the zonal name would be one that DNS cannot be asked for. */
  #zonal: NameResolver | null = null;
  /** The last answer for the zonal name. */
  #lastZonal: Resolution | null = null;
  #zoneHosts = NO_HOSTS;
  /** Of the last plain answer that had any. */
  #plainHosts = NO_HOSTS;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #fallback = false;
  #retryAt = Number.NEGATIVE_INFINITY;
  #locatedAt: number;
  readonly #locating = new BackgroundWork();

  constructor(zone: ZoneSettings, dependencies: ZonalResolverDependencies) {
    this.#zone = zone;
    this.#dependencies = dependencies;
    this.#locatedAt = dependencies.clock.now();
    if (dependencies.fullName !== null) this.#setFullName(dependencies.fullName);
  }

  async resolve(signal: AbortSignal, bits?: QueryBits, options?: ResolveOptions): Promise<Resolution> {
    const { plain, clock } = this.#dependencies;
    this.#locating.follow(signal);
    const askPlain = async (): Promise<Resolution> => this.#onPlain(await plain.resolve(signal, bits, options));
    if (this.#fullName === null) {
      const resolution = await askPlain();
      // Without its full name there is no zone to ask for.
      return this.#fullName === null
        ? this.#withZone(resolution)
        : this.#combine(resolution, await askZonal(this.#zonal));
    }
    if (this.#fallback && clock.now() < this.#retryAt) return this.#withZone(await askPlain());
    const asked = this.#fullName;
    const zonalAnswer = askZonal(this.#zonal);
    if (this.#zone.mode === 'pin') {
      const zonal = await zonalAnswer;
      if (zonal !== null && !isNameError(zonal) && this.#fullName === asked) {
        this.#locate(signal, bits);
        return this.#pinned(zonal);
      }
    }
    const [resolution, zonal] = await Promise.all([askPlain(), zonalAnswer]);
    // The plain name led to another Service: its zone is asked for from the next time on.
    return this.#fullName === asked ? this.#combine(resolution, zonal) : this.#withZone(resolution);

    function askZonal(resolver: NameResolver | null): Promise<Resolution | null> {
      return resolver?.resolve(signal, bits) ?? Promise.resolve(null);
    }
  }

  /** @param zonal null where DNS cannot be asked for the zonal name. */
  #combine(plain: Resolution, zonal: Resolution | null): Resolution {
    const { clock } = this.#dependencies;
    if (zonal !== null && !isNameError(zonal)) {
      if (this.#zone.mode === 'pin') return this.#pinned(zonal);
      this.#onZonal(zonal);
      return this.#withZone(plain);
    }
    // Neither name exists, or the plain one failed: that tells nothing about the option.
    if (!hasAddresses(plain)) return this.#withZone(plain);
    if (clock.now() - this.#answeredAt < HOLD_MS) {
      if (this.#zone.mode === 'prefer') return this.#withZone(plain);
      const last = this.#lastZonal;
      const held = only(plain, this.#zoneHosts) ?? (last && !hasAddresses(last) ? last : null);
      if (held !== null) return this.#withZone(held);
    }
    this.#retryAt = clock.now() + RETRY_MS;
    this.#zoneHosts = NO_HOSTS;
    this.#fallback = true;
    return this.#withZone(plain);
  }

  #pinned(zonal: Resolution): Resolution {
    this.#onZonal(zonal);
    return this.#withZone(zonal);
  }

  #onZonal(zonal: Resolution): void {
    if (isFailed(zonal)) return;
    const hosts = hostsOf(zonal);
    // After an empty answer the pods may still be in use, and what is missing from an answer may still be in the zone.
    if (isWhole(zonal) && hosts.size > 0) this.#zoneHosts = hosts;
    else this.#zoneHosts = new Set([...this.#zoneHosts, ...hosts]);
    this.#lastZonal = zonal;
    this.#answeredAt = this.#dependencies.clock.now();
    this.#fallback = false;
  }

  #onPlain(plain: Resolution): Resolution {
    if (!hasAddresses(plain)) return plain;
    this.#setFullName(plain.name);
    if (isWhole(plain)) this.#plainHosts = hostsOf(plain);
    return plain;
  }

  /** In the background: whether the full name is still the one that the search list leads to. */
  #locate(signal: AbortSignal, bits: QueryBits | undefined): void {
    const { plain, fullName, clock } = this.#dependencies;
    if (fullName !== null || this.#locating.busy || clock.now() - this.#locatedAt < LOCATE_MS) return;
    this.#locatedAt = clock.now();
    this.#locating.start(signal, async (either) => {
      const resolution = await plain.resolve(either, bits, { searchNearer: true });
      if (!either.aborted) this.#onPlain(resolution);
    });
  }

  #setFullName(name: string): void {
    if (name === this.#fullName) return;
    this.#fullName = name;
    const zonalName = `${this.#zone.name}.${this.#zone.mode}._zone.${name}`;
    const possible = hostnameFault(zonalName) === undefined;
    this.#zonal = possible ? this.#dependencies.createResolver(zonalName) : null;
    this.#zoneHosts = NO_HOSTS;
    this.#plainHosts = NO_HOSTS;
    this.#lastZonal = null;
    this.#answeredAt = Number.NEGATIVE_INFINITY;
    this.#retryAt = Number.NEGATIVE_INFINITY;
  }

  #withZone(resolution: Resolution): Resolution {
    const { name, mode } = this.#zone;
    // `prefer` answers with every endpoint where the zone has none: then nothing tells which ones are in the zone.
    const differs = mode === 'pin' || [...this.#plainHosts].some((host) => !this.#zoneHosts.has(host));
    const hosts = differs ? this.#zoneHosts : NO_HOSTS;
    return { ...resolution, zone: { name, fallback: this.#fallback, hosts } };
  }
}

function outcomesOf({ outcomes }: Resolution): readonly Outcome[] {
  return [...outcomes.values()];
}

function hostsOf(resolution: Resolution): ReadonlySet<string> {
  return new Set(outcomesOf(resolution).flatMap((outcome) => (outcome.kind === 'addresses' ? outcome.addresses : [])));
}

function hasAddresses(resolution: Resolution): boolean {
  return outcomesOf(resolution).some(({ kind }) => kind === 'addresses');
}

function isFailed(resolution: Resolution): boolean {
  return outcomesOf(resolution).every(({ kind }) => kind === 'failed');
}

/** Nothing is missing from it. */
function isWhole(resolution: Resolution): boolean {
  return outcomesOf(resolution).every(
    (outcome) => outcome.kind === 'empty' || (outcome.kind === 'addresses' && !outcome.partial),
  );
}

/** RFC 8499's name for NXDOMAIN: no record type of the name exists. */
function isNameError(resolution: Resolution): boolean {
  return outcomesOf(resolution).some((outcome) => outcome.kind === 'empty' && outcome.reason === 'nxdomain');
}

/** The resolution without any other host; null where none is left. */
function only(resolution: Resolution, hosts: ReadonlySet<string>): Resolution | null {
  const outcomes = new Map<OutcomeSource, Outcome>();
  for (const [source, outcome] of resolution.outcomes) {
    if (outcome.kind !== 'addresses') continue;
    const addresses = outcome.addresses.filter((host) => hosts.has(host));
    if (addresses.length > 0) outcomes.set(source, { ...outcome, addresses });
  }
  return outcomes.size === 0 ? null : { ...resolution, outcomes };
}
