/** IP addresses in responses: as text, and whether a connection can be opened to them. */

const DECIMAL: readonly string[] = Array.from({ length: 256 }, (_, octet) => `${octet}`);
/** Looking up texts is faster than formatting numbers, and this is the inner loop of reading a response. */
const DECIMAL_DOT: readonly string[] = DECIMAL.map((octet) => `${octet}.`);

/** The four octets at `offset`, which the caller has checked to exist, as dotted decimals. */
export function formatIPv4(octets: Uint8Array, offset: number): string {
  return (
    (DECIMAL_DOT[octets[offset] as number] as string) +
    (DECIMAL_DOT[octets[offset + 1] as number] as string) +
    (DECIMAL_DOT[octets[offset + 2] as number] as string) +
    (DECIMAL[octets[offset + 3] as number] as string)
  );
}

/** The sixteen octets at `offset`, which the caller has checked to exist, in the canonical form of RFC 5952. */
export function formatIPv6(octets: Uint8Array, offset: number): string {
  const groups: number[] = [];
  for (let at = offset; at < offset + 16; at += 2)
    groups.push(((octets[at] as number) << 8) | (octets[at + 1] as number));

  const gap = longestZeroRun(groups);
  // IPv4-mapped, ::ffff:0:0/96: in mixed notation (RFC 5952 section 5).
  if (gap.start === 0 && gap.length === 5 && groups[5] === 0xffff) return `::ffff:${formatIPv4(octets, offset + 12)}`;

  let text = '';
  for (let index = 0; index < 8; ) {
    if (index === gap.start) {
      text += '::';
      index += gap.length;
      continue;
    }
    if (index > 0 && index !== gap.start + gap.length) text += ':';
    text += (groups[index] as number).toString(16);
    index += 1;
  }
  return text;
}

/** What `::` stands for: the first of the longest runs of at least two zero groups (RFC 5952 section 4.2). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: -1, length: 1 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > longest.length) longest = { start, length };
    start += length;
  }
  return longest.start === -1 ? { start: -1, length: 0 } : longest;
}

/**
 * False for addresses that no TCP connection can be opened to, whatever a response says:
 * 0.0.0.0/8 ("this network", RFC 1122), multicast 224.0.0.0/4 (RFC 5771), 240.0.0.0/4 with the limited broadcast
 * (RFC 1112, RFC 919), `::` (RFC 4291 section 2.5.2), ff00::/8 (section 2.7), and the IPv4-mapped forms of these.
 * Loopback is allowed: pods of tests and of host-network development live there.
 */
export function isConnectable(address: string): boolean {
  if (!address.includes(':')) return isConnectableIPv4(Number.parseInt(address, 10));
  const lower = address.toLowerCase();
  if (lower === '::' || /^ff[0-9a-f]{2}:/.test(lower)) return false;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(lower)?.[1];
  if (mapped !== undefined) return isConnectable(mapped);
  // `::` in its long form, 0:0:0:0:0:0:0:0.
  return !/^[0:]+$/.test(lower);
}

/** The same for an IPv4 address: its first octet is enough to tell these blocks. */
export function isConnectableIPv4(firstOctet: number): boolean {
  return firstOctet > 0 && firstOctet < 224;
}
