/**
 * Which host names DNS is asked for. One alphabet for targets, search domains and queries: letters, digits, `-` and
 * `_`, which is RFC 1123 section 2.1 with the underscore that service names have. An internationalised name has to be
 * written as its A-labels (`xn--…`).
 */
import { HeadlessError } from '../errors.js';
import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from './name.js';

const LABEL = /^[A-Za-z0-9_-]+$/;

/**
 * Why DNS cannot be asked for this name, as the second half of a sentence; undefined when it can.
 * @param hostname without a final dot.
 */
export function hostnameFault(hostname: string): string | undefined {
  if (hostname === '') return 'its host is empty';
  for (const label of hostname.split('.')) {
    if (label === '') return `host "${hostname}" has an empty label`;
    if (!LABEL.test(label)) return `label "${label}" has a character other than letters, digits, "-" and "_"`;
    if (label.length > MAX_LABEL_OCTETS) return `label "${label}" is longer than ${MAX_LABEL_OCTETS} octets`;
  }
  // On the wire each label has a length octet in the place of its dot; the first label and the root add one each.
  return hostname.length + 2 > MAX_NAME_OCTETS ? `its host is longer than ${MAX_NAME_OCTETS} octets` : undefined;
}

/** @throws HeadlessError `ERR_HEADLESS_TARGET` for a name that DNS cannot be asked for. */
export function assertHostname(hostname: string): void {
  const fault = hostnameFault(hostname);
  if (fault !== undefined)
    throw new HeadlessError('ERR_HEADLESS_TARGET', `cannot ask DNS for ${JSON.stringify(hostname)}: ${fault}`);
}
