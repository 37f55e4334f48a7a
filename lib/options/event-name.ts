/** The names of a channel's events. JavaScript tells nobody of a listener to an event that never comes. */
import { HeadlessError } from '../errors.js';
import type { HeadlessEvents } from '../telemetry/channel-events.js';
import { nearestName } from './nearest-name.js';
import { formatValue } from './refusal.js';

const EVENTS: Readonly<Record<keyof HeadlessEvents, true>> = {
  update: true,
  dnsFailure: true,
  zoneFallback: true,
  source: true,
  imbalance: true,
  ejection: true,
  health: true,
  panic: true,
};

/** Never emitted, but `once` and `on` of `node:events` listen to it beside any other event. */
const OF_NODE = 'error';

/** @throws {HeadlessError} `ERR_HEADLESS_OPTION` with the name, and with the nearest one or all that there are. */
export function checkEventName(event: unknown): void {
  if (typeof event === 'string' && (Object.hasOwn(EVENTS, event) || event === OF_NODE)) return;
  const names = Object.keys(EVENTS);
  const near = typeof event === 'string' ? nearestName(event, names) : undefined;
  const remedy = near ? `did you mean "${near}"?` : `the events are ${names.map((name) => `"${name}"`).join(', ')}`;
  throw new HeadlessError('ERR_HEADLESS_OPTION', `the channel has no event ${formatValue(event)}: ${remedy}`);
}
