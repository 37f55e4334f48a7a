/** The options under the key `headless`, and the settings made of them. Every other key belongs to grpc-js. */
import type { SettingsOf } from './options/entry.js';
import { readGroup } from './options/group.js';
import { checkPlacement } from './options/placement.js';
import { SCHEMA } from './options/schema.js';

export type { BalancePolicy, HeadlessOptions } from './options/headless-options.js';

/** The options, checked and complete. Each group goes whole to the part that owns it. */
export type HeadlessSettings = SettingsOf<typeof SCHEMA>;

/**
 * Checks the value of the option `headless`.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the option, the value received and what is allowed.
 */
export function resolveOptions(raw: unknown): HeadlessSettings {
  return readGroup(SCHEMA, raw, 'headless');
}

/**
 * Checks the options of a channel: those of ours, and that none of ours stands among grpc-js's.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` as `resolveOptions`, or naming where an option belongs.
 */
export function resolveChannelOptions(options: Readonly<Record<string, unknown>>): HeadlessSettings {
  checkPlacement(options, SCHEMA);
  return resolveOptions(options['headless']);
}
