/**
 * Is there a cache in front of a server, and does it keep entries apart by the bits DO and CD? Two queries two seconds
 * apart show it: a cached TTL counts down, a live one does not; and a pair of bits that reads an entry of its own shows
 * another TTL than the plain one. The client finds out the same from its polls, see docs/dns.md.
 */
import type { Transport } from '../../dns/exchange.js';
import { PLAIN_BITS, type QueryBits, type RecordType } from '../../dns/message.js';
import { formatServer, type ServerAddress } from '../../dns/settings.js';
import type { Clock } from '../../runtime.js';
import type { DnsAsker } from './dns-asker.js';
import type { AnswerOutcome, Reading } from './facts.js';
import { pause } from './pause.js';

/** TTLs are whole seconds: so far apart, one entry shows two TTLs, and two entries differ by more than rounding. */
export const APART_MS = 2_100;
const TTL_UNIT_MS = 1_000;

type Addresses = Extract<AnswerOutcome, { kind: 'addresses' }>;

/** @param transport one that the server answers over; TCP is used too for what does not fit a datagram. */
export async function probeCache(
  asker: DnsAsker,
  server: ServerAddress,
  question: { readonly hostname: string; readonly type: RecordType },
  { transport, clock, signal }: { transport: Transport; clock: Clock; signal: AbortSignal },
): Promise<Reading> {
  let silent = false;
  const ask = async (bits: QueryBits): Promise<Addresses | null> => {
    // A server that has stopped answering would cost its timeout each time.
    if (silent) return null;
    const { outcome } =
      transport === 'udp'
        ? await asker.askWhole(server, question, bits)
        : await asker.ask(server, question, 'tcp', bits);
    silent = outcome.kind === 'failed';
    return outcome.kind === 'addresses' ? outcome : null;
  };
  const first = await ask(PLAIN_BITS);
  await pause(clock, APART_MS, signal);
  const second = await ask(PLAIN_BITS);
  // One after another: in parallel, two of them could both find one shared entry empty.
  const withDnssecOk = await ask({ dnssecOk: true, checkingDisabled: false });
  const withCheckingDisabled = await ask({ dnssecOk: false, checkingDisabled: true });
  const ttls = [first, second, withDnssecOk, withCheckingDisabled].flatMap((answer) => (answer ? [answer.ttlMs] : []));
  const ttlMs = Math.max(0, ...ttls);
  const cache = stateOf(first, second, ttlMs);
  return {
    server: formatServer(server),
    cache,
    ttlMs,
    // A bit that is part of the key doubles the number of entries.
    entries:
      cache === 'present'
        ? (isApart(second, withDnssecOk) ? 2 : 1) * (isApart(second, withCheckingDisabled) ? 2 : 1)
        : 0,
    addresses: second && [...second.addresses].sort(),
  };
}

/** A TTL that rises shows a cache too: its entry expired between the two queries. */
function stateOf(first: Addresses | null, second: Addresses | null, ttlMs: number): Reading['cache'] {
  if (!first || !second) return 'unknown';
  if (first.ttlMs !== second.ttlMs) return 'present';
  return ttlMs <= APART_MS ? 'unknown' : 'none';
}

/** Of two answers at one moment: whether they come from entries that expire apart, beyond the rounding of TTLs. */
function isApart(one: Addresses | null, other: Addresses | null): boolean {
  return one !== null && other !== null && Math.abs(one.ttlMs - other.ttlMs) > TTL_UNIT_MS;
}
