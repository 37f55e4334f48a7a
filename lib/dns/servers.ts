/** In which order servers are asked, and over which transport: remembered from earlier responses, for a while. */
import type { Clock } from '../runtime.js';
import type { Transport } from './exchange.js';
import type { Question } from './message.js';
import { formatServer, type ServerAddress } from './settings.js';

/**
 * How long a server that did not respond is asked last. Without a penalty a dead first server would cost each poll its
 * timeout; with a longer one a server that has restarted would stay unused.
 */
const PENALTY_MS = 30_000;

/** Servers with a penalty come last, where they are still asked if all others fail. */
export class ServerOrder {
  readonly #clock: Clock;
  readonly #penaltyEndsAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same servers: those without a penalty first, otherwise in the given order. */
  sort(servers: readonly ServerAddress[]): readonly ServerAddress[] {
    const now = this.#clock.now();
    for (const [server, endsAt] of this.#penaltyEndsAt) if (endsAt <= now) this.#penaltyEndsAt.delete(server);
    const hasPenalty = (server: ServerAddress): boolean => this.#penaltyEndsAt.has(formatServer(server));
    return [...servers.filter((server) => !hasPenalty(server)), ...servers.filter(hasPenalty)];
  }

  /** The server sent nothing valid in time, or could not be reached. */
  recordTimeout(server: ServerAddress): void {
    this.#penaltyEndsAt.set(formatServer(server), this.#clock.now() + PENALTY_MS);
  }

  /** The server responded: its penalty ends. */
  recordResponse(server: ServerAddress): void {
    this.#penaltyEndsAt.delete(formatServer(server));
  }
}

/** After this many truncated responses in a row TCP is asked first. A single one may come from a short scale-up. */
const TRUNCATIONS = 2;
/** How long TCP is then asked first. After a scale-down UDP may be enough again. */
const TCP_FIRST_MS = 600_000;

/** Large sets do not fit a datagram: asking over UDP first would cost each poll a useless round trip. */
export class TransportMemory {
  readonly #clock: Clock;
  readonly #truncations = new Map<string, { inARow: number; udpAgainAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The transport to begin with. */
  first(question: Question): Transport {
    const truncated = this.#truncations.get(keyOf(question));
    const tcpFirst =
      truncated !== undefined && truncated.inARow >= TRUNCATIONS && this.#clock.now() < truncated.udpAgainAt;
    return tcpFirst ? 'tcp' : 'udp';
  }

  recordTruncation(question: Question): void {
    const inARow = (this.#truncations.get(keyOf(question))?.inARow ?? 0) + 1;
    this.#truncations.set(keyOf(question), { inARow, udpAgainAt: this.#clock.now() + TCP_FIRST_MS });
  }

  /** A datagram held the whole answer: begin with UDP again. */
  forget(question: Question): void {
    this.#truncations.delete(keyOf(question));
  }
}

function keyOf({ hostname, type }: Question): string {
  return `${type} ${hostname}`;
}
