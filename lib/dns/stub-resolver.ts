/**
 * The DNS client: a name to addresses, once, whenever asked. It knows the search list, the servers and their
 * failings; how one server is asked is `exchange.ts`'s, when to ask again is the poller's.
 */
import pRetry from 'p-retry';
import { DnsError } from '../errors.js';
import type { Runtime } from '../runtime.js';
import { type Exchange, exchange as realExchange } from './exchange.js';
import { assertHostname } from './hostname.js';
import type { Question, RecordType } from './message.js';
import {
  failureOf,
  isRcode,
  type QueryResult,
  type ServerResponse,
  summarise,
  toOutcome,
  toResolution,
  withHistory,
} from './query-result.js';
import { type DnsCounters, type NameResolver, type Resolution, zeroDnsCounters } from './resolution.js';
import { type ResolvConf, ResolvConfFile } from './resolv-conf.js';
import { candidateNames } from './search-list.js';
import { ServerOrder, TransportMemory } from './servers.js';
import type { DnsSettings, ServerAddress } from './settings.js';

const DEFAULT_TIMEOUT_MS = 1_000;
const DEFAULT_ATTEMPTS = 2;
const DEFAULT_NDOTS = 1;

/** The settings, resolv.conf and the defaults made into one, for one resolution. */
interface Plan {
  /** In the order to ask them, but for those that are shunned at the moment. */
  readonly servers: readonly ServerAddress[];
  /** How often each is asked, all taking turns. */
  readonly rounds: number;
  readonly timeoutMs: number;
  /** Candidates in the order to ask for them. */
  readonly names: readonly string[];
}

export class StubResolver implements NameResolver {
  readonly #hostname: string;
  readonly #absolute: boolean;
  readonly #settings: DnsSettings;
  readonly #runtime: Pick<Runtime, 'clock' | 'random'>;
  readonly #exchange: Exchange;
  readonly #resolvConf: ResolvConfFile;
  readonly #order: ServerOrder;
  readonly #transports: TransportMemory;
  readonly #counters: DnsCounters = zeroDnsCounters();
  /** The candidate that had addresses last: with `ndots:5` it would be the fourth to be asked for at each poll. */
  #knownName: string | undefined;
  /** Counts resolutions, from a random start, so that clients with `rotate` spread over the servers. */
  #turn: number;

  /**
   * @param hostname without a final dot.
   * @param absolute whether it had one: then no search list applies.
   * @throws HeadlessError `ERR_HEADLESS_TARGET` for a name that DNS cannot ask for.
   */
  constructor(
    hostname: string,
    absolute: boolean,
    settings: DnsSettings,
    runtime: Pick<Runtime, 'clock' | 'random'>,
    dependencies: { readonly exchange?: Exchange } = {},
  ) {
    assertHostname(hostname);
    this.#hostname = hostname;
    this.#absolute = absolute;
    this.#settings = settings;
    this.#runtime = runtime;
    this.#exchange = dependencies.exchange ?? realExchange;
    this.#resolvConf = new ResolvConfFile(settings.resolvConf);
    this.#order = new ServerOrder(runtime.clock);
    this.#transports = new TransportMemory(runtime.clock);
    this.#turn = Math.floor(runtime.random() * 1_000_000);
  }

  get counters(): Readonly<DnsCounters> {
    return this.#counters;
  }

  async resolve(signal: AbortSignal): Promise<Resolution> {
    signal.throwIfAborted();
    const plan = this.#plan(this.#resolvConf.read());
    const findings: QueryResult[] = [];
    for (const name of plan.names) {
      const here = await this.#resolveName(name, plan, signal);
      if (here.some(({ outcome }) => outcome.kind === 'addresses')) {
        this.#knownName = name;
        return toResolution(here);
      }
      findings.push(...here);
      if (here.some((finding) => this.#endsSearch(finding))) break;
    }
    return toResolution(summarise(findings, this.#knownName ?? this.#hostname));
  }

  #plan(file: ResolvConf): Plan {
    const { servers, timeoutMs, attempts, search, ndots } = this.#settings;
    const listed = servers ?? file.servers;
    const start = file.rotate ? this.#turn++ % listed.length : 0;
    const names = candidateNames(this.#hostname, this.#absolute, {
      search: search ?? file.search,
      ndots: ndots ?? file.ndots ?? DEFAULT_NDOTS,
    });
    // A search list that changed may no longer lead to the known name.
    const known = names.filter((name) => name === this.#knownName);
    return {
      servers: [...listed.slice(start), ...listed.slice(0, start)],
      rounds: attempts ?? file.attempts ?? DEFAULT_ATTEMPTS,
      timeoutMs: timeoutMs ?? file.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      names: [...new Set([...known, ...names])],
    };
  }

  /**
   * As glibc's: NXDOMAIN, NODATA and a server's refusal lead on to the next candidate, silence does not, since the
   * next one would only meet with it again. The known name also ends the search when it fails: its addresses are still
   * the ones in use, and those of a namesake in another domain must not take their place.
   */
  #endsSearch({ question, outcome }: QueryResult): boolean {
    return outcome.kind === 'failed' && (question.hostname === this.#knownName || !isRcode(outcome.error.code));
  }

  async #resolveName(hostname: string, plan: Plan, signal: AbortSignal): Promise<QueryResult[]> {
    const ask = (type: RecordType): Promise<QueryResult> => this.#ask({ hostname, type }, plan, signal);
    switch (this.#settings.family) {
      case 'ipv4':
        return [await ask('A')];
      case 'ipv6':
        return [await ask('AAAA')];
      case 'dual':
        return Promise.all([ask('A'), ask('AAAA')]);
      case 'auto': {
        const a = await ask('A');
        const isNoData = a.outcome.kind === 'empty' && a.outcome.error.code === 'ERR_HEADLESS_DNS_NODATA';
        return isNoData ? [a, await ask('AAAA')] : [a];
      }
    }
  }

  /** Rejects only with the signal's reason. */
  async #ask(question: Question, plan: Plan, signal: AbortSignal): Promise<QueryResult> {
    // Sorted for each question: a server that was silent a moment ago must not cost the next candidate a timeout too.
    const servers = this.#order.sort(plan.servers);
    const failures: DnsError[] = [];
    /** They gave no reply over UDP: it may have been too large for the path, and TCP gets such a one through. */
    const silentOverUdp = new Set<ServerAddress>();
    let last: ServerResponse | null = null;
    const attempt = async (number: number): Promise<ServerResponse> => {
      const server = servers[(number - 1) % servers.length] as ServerAddress;
      last = await this.#askServer(server, question, plan.timeoutMs, silentOverUdp, signal);
      const error = failureOf(question, last);
      if (error !== undefined) throw error;
      return last;
    };
    try {
      const answer = await pRetry(attempt, {
        retries: plan.rounds * servers.length - 1,
        // The next server is asked at once: waiting is the poller's business, on its own clock.
        minTimeout: 0,
        signal,
        onFailedAttempt: ({ error }) => {
          if (error instanceof DnsError) failures.push(error);
        },
        // Anything else is no server's fault, so no other server would mend it.
        shouldRetry: ({ error }) => error instanceof DnsError,
      });
      return { question, outcome: toOutcome(question, answer), last: answer };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DnsError)) throw error;
      const told = withHistory(error, failures.slice(0, -1), this.#remedy);
      return { question, outcome: { kind: 'failed', error: told }, last };
    }
  }

  /** Without resolv.conf the server is 127.0.0.1, as glibc has it, and nobody would guess why that one was asked. */
  get #remedy(): string | null {
    const { problem } = this.#resolvConf;
    return this.#settings.servers || problem === null ? null : `${problem}; name the servers in headless.dns.servers`;
  }

  /**
   * One attempt: UDP, then TCP where UDP was not enough, without EDNS where EDNS was too much; at most two questions
   * more, all within the one timeout. Where UDP met with silence, the server is noted in `silentOverUdp`, and its next
   * attempt is made without EDNS: a path whose MTU swallows large datagrams lets 512 octets through, and what does not
   * fit them comes with TC, and so over TCP (RFC 6891 section 6.2.5). A datagram that was merely lost needs no TCP,
   * which a NetworkPolicy may forbid. Rejects with a `DnsError`, or with the signal's reason.
   */
  async #askServer(
    server: ServerAddress,
    question: Question,
    timeoutMs: number,
    silentOverUdp: Set<ServerAddress>,
    signal: AbortSignal,
  ): Promise<ServerResponse> {
    const { clock } = this.#runtime;
    const deadline = clock.now() + timeoutMs;
    let transport = this.#transports.first(question);
    let edns = !silentOverUdp.has(server);
    const tcpFirst = transport === 'tcp';
    for (;;) {
      const result = await this.#exchange({
        server,
        question,
        transport,
        edns,
        timeoutMs: Math.max(0, deadline - clock.now()),
        clock,
        counters: this.#counters,
        signal,
      }).catch((error: unknown) => {
        if (tcpFirst) this.#transports.forget(question);
        if (transport === 'udp' && error instanceof DnsError && error.code === 'ERR_HEADLESS_DNS_TIMEOUT')
          silentOverUdp.add(server);
        if (error instanceof DnsError && error.code !== 'ERR_HEADLESS_DNS_MALFORMED') this.#order.recordTimeout(server);
        throw error;
      });
      if (result.kind !== 'reply') {
        if (result.kind === 'truncated') {
          this.#counters.truncated += 1;
          this.#transports.recordTruncation(question);
        }
        transport = 'tcp';
        continue;
      }
      this.#order.recordResponse(server);
      const { reply } = result;
      // Not remembered: a server that was replaced, or a middlebox gone, must get its larger datagrams back.
      if (edns && (reply.rcode === 'FORMERR' || reply.rcode === 'BADVERS')) {
        this.#counters.withoutEdns += 1;
        edns = false;
        continue;
      }
      if (transport === 'udp') this.#transports.forget(question);
      return { reply, server, transport };
    }
  }
}
