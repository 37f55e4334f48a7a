/** In which order servers are asked, and over which transport: what earlier answers taught, for a while. */
import type { Clock } from '../runtime.js';
import type { Transport } from './exchange.js';
import type { Question } from './message.js';
import { formatServer, type ServerAddress } from './settings.js';

/**
 * How long a server that gave no reply is asked last. Without it a dead first server would cost each poll its
 * timeout; for longer, a server that restarted would stand idle.
 */
const PENALTY_MS = 30_000;

/** Servers that were silent lately go to the end of the line, where they still serve if nothing else does. */
export class ServerOrder {
  readonly #clock: Clock;
  readonly #shunnedUntil = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same servers; those in good standing first, otherwise in the order given. */
  sort(servers: readonly ServerAddress[]): readonly ServerAddress[] {
    const now = this.#clock.now();
    for (const [server, until] of this.#shunnedUntil) if (until <= now) this.#shunnedUntil.delete(server);
    const isShunned = (server: ServerAddress): boolean => this.#shunnedUntil.has(formatServer(server));
    return [...servers.filter((server) => !isShunned(server)), ...servers.filter(isShunned)];
  }

  /** It sent nothing valid in time, or could not be reached. */
  recordTimeout(server: ServerAddress): void {
    this.#shunnedUntil.set(formatServer(server), this.#clock.now() + PENALTY_MS);
  }

  recordResponse(server: ServerAddress): void {
    this.#shunnedUntil.delete(formatServer(server));
  }
}

/** So many replies in a row cut short, and TCP is asked first. One alone may be a moment's surge of pods. */
const TRUNCATIONS = 2;
/** How long UDP is then left alone. A scale-down may make it enough again. */
const TCP_FIRST_MS = 600_000;

/** Large sets do not fit a datagram: asking over UDP first would then cost each poll a round trip in vain. */
export class TransportMemory {
  readonly #clock: Clock;
  readonly #cut = new Map<string, { inARow: number; udpAgainAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  first(question: Question): Transport {
    const cut = this.#cut.get(keyOf(question));
    return cut !== undefined && cut.inARow >= TRUNCATIONS && this.#clock.now() < cut.udpAgainAt ? 'tcp' : 'udp';
  }

  recordTruncation(question: Question): void {
    const inARow = (this.#cut.get(keyOf(question))?.inARow ?? 0) + 1;
    this.#cut.set(keyOf(question), { inARow, udpAgainAt: this.#clock.now() + TCP_FIRST_MS });
  }

  /** A datagram held the whole answer, or TCP, asked first, did not work: start with UDP again. */
  forget(question: Question): void {
    this.#cut.delete(keyOf(question));
  }
}

function keyOf({ hostname, type }: Question): string {
  return `${type} ${hostname}`;
}
