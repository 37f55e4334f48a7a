/**
 * The two header bits by which cluster DNS caches tell queries for one name and type apart: DO (RFC 3225) and CD
 * (RFC 4035 section 3.2.2). CoreDNS's `cache`, which NodeLocal DNSCache uses too, has them in its key, so that each
 * of the four pairs is an entry with a life of its own. For a zone that is not signed the answers are the same.
 */
import { PLAIN_BITS, type QueryBits } from '../dns/message.js';

/** In the order in which they are tried. DO comes first: older releases of CoreDNS have it in the key, and CD not. */
export const CACHE_BITS: readonly QueryBits[] = [
  PLAIN_BITS,
  { dnssecOk: true, checkingDisabled: false },
  { dnssecOk: false, checkingDisabled: true },
  { dnssecOk: true, checkingDisabled: true },
];
