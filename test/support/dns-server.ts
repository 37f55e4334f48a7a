/**
 * A DNS server on loopback, UDP and TCP on one port, that says what the test wants it to.
 *
 * - Zone: `set`, `services`, `alias`, `pointer`, `nodata`, `remove`; `cache(ttl)` puts a cache before it; answers over the
 *   client's UDP size (512 bytes without EDNS) come cut with TC over UDP and whole over TCP, as from CoreDNS.
 * - Faults: `fail(name | '*', kind)` until `heal()`, `pause()` (a black hole) until `resume()`, `delayMs`.
 * - Raw: `respond`, while set, answers everything in its own way, down to single bytes and RST.
 *
 * Every query is recorded in `queries`, answered or not. `close()` leaves no socket and no timer.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import {
  type DnsQuery,
  encodeMalformedReply,
  encodeReply,
  frame,
  parseQuery,
  type Rcode,
  type Reply,
  type Transport,
} from './dns-reply.js';
import { DnsCache, DnsZone, normalise, type ServicesOptions, type ZoneService, type ZoneSource } from './dns-zone.js';

export type { DnsQuery } from './dns-reply.js';

export type DnsFailure = Exclude<Rcode, 'NOERROR'> | 'timeout' | 'malformed';

export interface DnsServerOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default: one that is free for both transports. */
  port?: number;
  /** Shuffle each answer's addresses, as CoreDNS's `loadbalance` does. */
  shuffle?: boolean;
  /** Seconds, of the SOA in a denial. Default 5. */
  denialTtl?: number;
}

/** One query, and every way to answer it. */
export interface DnsExchange {
  readonly transport: Transport;
  /** What the zone would answer, as bytes to send or to tamper with. */
  build(changes?: Partial<Reply>): Buffer;
  /** Sends what the zone (or the fault set for the name) says. */
  answer(): void;
  /** One datagram, or one TCP frame. Any number of times. */
  reply(message: Buffer): void;
  /** A datagram from another port (and address, if given), which a careful client must not take. UDP only. */
  replyFromElsewhere(message: Buffer, host?: string): Promise<void>;
  /** Bytes as they are, without the length before them. TCP only. */
  write(bytes: Buffer): void;
  /** A frame, one byte at a time. TCP only. */
  trickle(message: Buffer, gapMs: number): Promise<void>;
  /** FIN. TCP only. */
  close(): void;
  /** RST. TCP only. */
  reset(): void;
}

export type Responder = (query: DnsQuery, exchange: DnsExchange) => void | Promise<void>;

/** Without OPT (RFC 1035 section 4.2.1). */
const UDP_SIZE_WITHOUT_EDNS = 512;
const TCP_SIZE = 65_535;

export class DnsServer {
  /** Overrides zone and faults while it is set. */
  respond: Responder | undefined;
  /** Holds back each answer of the zone this long. */
  delayMs = 0;
  shuffle: boolean;
  readonly queries: DnsQuery[] = [];
  readonly host: string;
  readonly port: number;

  readonly #zone: DnsZone;
  #source: ZoneSource;
  readonly #failures = new Map<string, DnsFailure>();
  #paused = false;
  #closed = false;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  static async start(options: DnsServerOptions = {}): Promise<DnsServer> {
    const host = options.host ?? '127.0.0.1';
    for (let attempt = 1; ; attempt++) {
      const udp = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
      const tcp = createServer();
      try {
        udp.bind(options.port ?? 0, host);
        await once(udp, 'listening');
        tcp.listen(udp.address().port, host);
        await once(tcp, 'listening');
        return new DnsServer(udp, tcp, options);
      } catch (error) {
        udp.close();
        // The port that UDP got may be another program's over TCP.
        if (options.port || attempt === 20 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  private constructor(udp: UdpSocket, tcp: Server, { shuffle = false, denialTtl }: DnsServerOptions) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.shuffle = shuffle;
    this.#zone = new DnsZone(denialTtl);
    this.#source = this.#zone;
    const { address, port } = tcp.address() as AddressInfo;
    this.host = address;
    this.port = port;
    udp.on('message', (message, from) => this.#receive(message, 'udp', (query) => this.#overUdp(query, from)));
    tcp.on('connection', (socket) => this.#accept(socket));
  }

  /** `"ip:port"`, fit for `headless.dns.servers` and for the authority of a `dns:` target. */
  get address(): string {
    return isIPv6(this.host) ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`;
  }

  /** IPv4 addresses become A records, IPv6 ones AAAA; `ttl` in seconds. */
  set(name: string, addresses: readonly string[], options?: { ttl?: number }): void {
    this.#zone.set(name, addresses, options);
  }

  /** SRV records; see `DnsZone.services`. */
  services(
    name: string,
    services: readonly (Pick<ZoneService, 'port' | 'target'> & Partial<ZoneService>)[],
    options?: ServicesOptions,
  ): void {
    this.#zone.services(name, services, options);
  }

  alias(name: string, target: string, options?: { ttl?: number }): void {
    this.#zone.alias(name, target, options);
  }

  /** A PTR record: the name of an IPv4 address. */
  pointer(address: string, target: string): void {
    this.#zone.pointer(address, target);
  }

  nodata(name: string): void {
    this.#zone.nodata(name);
  }

  /** NXDOMAIN from now on. */
  remove(name: string): void {
    this.#zone.remove(name);
  }

  /** Keeps answers up to `ttl` seconds and counts their TTLs down; 0 takes the cache away. */
  cache(ttl: number): void {
    this.#source = ttl > 0 ? new DnsCache(this.#zone, ttl) : this.#zone;
  }

  /** For one name, or for `'*'`: all. A name's own failure goes before that of all. */
  fail(name: string, kind: DnsFailure): void {
    this.#failures.set(normalise(name), kind);
  }

  /** Ends the failure of one name, or every failure. */
  heal(name?: string): void {
    if (name === undefined) this.#failures.clear();
    else this.#failures.delete(normalise(name));
  }

  /** Queries go unanswered, as into a black hole, and stay so: `resume` answers later ones only. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** How often it was asked: for a name and a type, if given. */
  asked(name?: string, type?: string): number {
    const wanted = name === undefined ? undefined : normalise(name);
    return this.queries.filter(
      (query) =>
        (wanted === undefined || normalise(query.name) === wanted) && (type === undefined || query.type === type),
    ).length;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#connections) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ]);
  }

  #receive(message: Buffer, transport: Transport, open: (query: DnsQuery) => DnsExchange): void {
    let query: DnsQuery;
    try {
      query = parseQuery(message, transport);
    } catch {
      return; // Not a query: no server answers noise.
    }
    this.queries.push(query);
    if (this.#paused) return;
    const exchange = open(query);
    // A responder that rejects fails the test through the unhandled rejection: nobody else would tell.
    if (this.respond) void this.respond(query, exchange);
    else exchange.answer();
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => {}); // The client's RST is the client's affair.
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const message = received.subarray(2, end);
        received = received.subarray(end);
        this.#receive(message, 'tcp', (query) => this.#overTcp(query, socket));
      }
    });
  }

  #overUdp(query: DnsQuery, from: RemoteInfo): DnsExchange {
    const wrong = (): never => {
      throw new Error('only TCP can do that: look at exchange.transport first');
    };
    const reply = (message: Buffer): void => {
      if (!this.#closed) this.#udp.send(message, from.port, from.address);
    };
    return {
      ...this.#exchange(query, reply),
      replyFromElsewhere: async (message, host = this.host) => {
        const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
        socket.bind(0, host);
        await once(socket, 'listening');
        await new Promise<void>((resolve) => socket.send(message, from.port, from.address, () => resolve()));
        socket.close();
      },
      write: wrong,
      trickle: wrong,
      close: wrong,
      reset: wrong,
    };
  }

  #overTcp(query: DnsQuery, socket: Socket): DnsExchange {
    const write = (bytes: Buffer): void => {
      if (!socket.destroyed) socket.write(bytes);
    };
    return {
      ...this.#exchange(query, (message) => write(frame(message))),
      replyFromElsewhere: () => Promise.reject(new Error('only UDP can do that: look at exchange.transport first')),
      write,
      trickle: async (message, gapMs) => {
        for (const byte of frame(message)) {
          if (socket.destroyed) return;
          write(Buffer.from([byte]));
          await new Promise<void>((resolve) => this.#later(gapMs, resolve));
        }
      },
      close: () => void socket.end(),
      reset: () => void socket.resetAndDestroy(),
    };
  }

  #exchange(query: DnsQuery, reply: (message: Buffer) => void) {
    const limit = query.transport === 'tcp' ? TCP_SIZE : Math.max(UDP_SIZE_WITHOUT_EDNS, query.edns ?? 0);
    const build = (changes: Partial<Reply> = {}): Buffer => {
      const { rcode, answers, authority, additional } = this.#source.answer(query.name, query.type, query.bits);
      const ordered = this.shuffle ? shuffled(answers) : answers;
      return encodeReply(query, { rcode, answers: ordered, authority, additional, limit, ...changes });
    };
    const answer = (): void => {
      const failure = this.#failures.get(normalise(query.name)) ?? this.#failures.get('*');
      if (failure === 'timeout') return;
      if (failure === 'malformed') reply(encodeMalformedReply(query));
      else if (failure !== undefined) reply(build({ rcode: failure, answers: [], authority: [], additional: [] }));
      else reply(build());
    };
    return {
      transport: query.transport,
      build,
      reply,
      answer: () => (this.delayMs > 0 ? this.#later(this.delayMs, answer) : answer()),
    };
  }

  #later(delayMs: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, delayMs);
    this.#timers.add(timer);
  }
}

/** CNAMEs keep their place before the addresses; the addresses' order is anybody's. */
function shuffled<T extends { type: string }>(records: readonly T[]): T[] {
  const aliases = records.filter((record) => record.type === 'CNAME');
  const rest = records.filter((record) => record.type !== 'CNAME');
  for (let last = rest.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [rest[last], rest[other]] = [rest[other] as T, rest[last] as T];
  }
  return [...aliases, ...rest];
}
