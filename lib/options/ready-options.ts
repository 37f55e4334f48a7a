/** What `HeadlessChannel.ready()` is given. */
import { isOptionsObject } from './options-object.js';
import { refuseName, refuseValue } from './refusal.js';

const DEFAULT_READY_TIMEOUT_MS = 5_000;

const NAME = 'timeoutMs';

/**
 * Milliseconds to wait.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` for anything but an object with `timeoutMs`, or with nothing.
 */
export function readyTimeoutMs(options: unknown): number {
  if (!isOptionsObject(options))
    throw refuseValue('of ready()', options, `must be an object such as { ${NAME}: ${DEFAULT_READY_TIMEOUT_MS} }`);
  for (const name of Object.keys(options))
    if (name !== NAME) throw refuseName('of ready()', name, options[name], [NAME]);
  const timeoutMs = options[NAME] ?? DEFAULT_READY_TIMEOUT_MS;
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs;
  throw refuseValue(NAME, timeoutMs, 'must be milliseconds >= 0');
}
