/** Options that are right one by one, of which one has no effect beside the other: it would mislead its reader. */
import { HeadlessError } from '../errors.js';
import type { HeadlessOptions } from './headless-options.js';
import { formatValue } from './refusal.js';

/** What takes the place of the DNS client has no use for these. */
const OF_DNS_CLIENT = ['servers', 'family', 'search', 'ndots', 'resolvConf'] as const;

/**
 * Checks what users wrote, because the settings no longer tell a default from a given value.
 *
 * @param options found right by `readGroup`.
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming both options.
 */
export function checkCombinations({ balance, dns, outlier, source }: HeadlessOptions): void {
  if (balance?.choices !== undefined && balance.policy === 'round_robin')
    throw refuse(
      'balance.choices',
      balance.choices,
      'headless.balance.policy "round_robin", which compares no pods',
      'leave it out, or choose the policy "least_request" or "peak_ewma"',
    );
  if (typeof outlier === 'object' && outlier.consecutiveFailures === 0 && outlier.failurePercentage === 0)
    throw refuse(
      'outlier.consecutiveFailures',
      0,
      'headless.outlier.failurePercentage 0: both rules are off, so that no pod is ever ejected',
      'give one of them a value, or write outlier: false',
    );
  if (dns?.lookup === undefined) return;
  for (const name of OF_DNS_CLIENT) {
    // A source of addresses is told the family.
    if (dns[name] === undefined || (name === 'family' && source !== undefined)) continue;
    throw refuse(
      `dns.${name}`,
      dns[name],
      'headless.dns.lookup, which takes the place of the DNS client',
      'leave one of them out',
    );
  }
}

function refuse(path: string, value: unknown, beside: string, remedy: string): HeadlessError {
  const message = `option headless.${path} (value ${formatValue(value)}) has no effect beside ${beside}; ${remedy}`;
  return new HeadlessError('ERR_HEADLESS_OPTION', message);
}
