/** The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or the date of the next attempt. Pure. */
import type { IncomingHttpHeaders } from 'node:http';

/** A server that asks for more is asked after this time: it may be back long before. */
const MOST_RETRY_AFTER_MS = 60_000;
/** All forms of a date (section 5.6.7) begin with the day of the week. `Date.parse` takes much that is no date of HTTP. */
const DATE = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[, ].*[0-9]/i;

/**
 * Milliseconds to wait, from 0 to 60,000. 0 where the header is missing or is neither of the two forms.
 *
 * @param wallTime of the client, in milliseconds since the Unix epoch. It counts only where the response has no `Date`: the
 *   server's own time needs no clocks that agree.
 */
export function retryAfterMs(headers: Pick<IncomingHttpHeaders, 'date' | 'retry-after'>, wallTime: number): number {
  const value = headers['retry-after']?.trim() ?? '';
  const waitMs = /^\d+$/.test(value) ? 1_000 * Number(value) : parseDate(value) - (parseDate(headers.date) || wallTime);
  return Math.min(Math.max(waitMs || 0, 0), MOST_RETRY_AFTER_MS);
}

/** NaN where it is no date. The form of C's `asctime` has no zone, and means GMT. */
function parseDate(text = ''): number {
  if (!DATE.test(text)) return Number.NaN;
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}
