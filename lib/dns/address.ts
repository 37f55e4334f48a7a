/** IP addresses out of answers: which of them could be a pod's at all. */

/**
 * False for addresses that no TCP connection can be opened to, and that an answer must not make us dial:
 * 0.0.0.0/8 ("this network", RFC 1122), multicast 224.0.0.0/4 (RFC 5771), 240.0.0.0/4 with the limited broadcast
 * (RFC 1112, RFC 919), `::` (RFC 4291 section 2.5.2), ff00::/8 (section 2.7), and the IPv4-mapped forms of these.
 * Loopback is allowed: pods of tests and of host-network development live there.
 */
export function isConnectable(address: string): boolean {
  if (!address.includes(':')) {
    const first = Number.parseInt(address, 10);
    return first > 0 && first < 224;
  }
  const lower = address.toLowerCase();
  if (lower === '::' || lower.startsWith('ff')) return false;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(lower)?.[1];
  if (mapped !== undefined) return isConnectable(mapped);
  // `::` written out, as in 0:0:0:0:0:0:0:0.
  return !/^[0:]+$/.test(lower);
}
