/** The options under the key `headless`, and the settings made of them. Every other key belongs to grpc-js. */
import type { SettingsOf } from './options/entry.js';
import { readGroup } from './options/group.js';
import { isOptionsObject } from './options/options-object.js';
import { checkPlacement } from './options/placement.js';
import { refuseValue } from './options/refusal.js';
import { SCHEMA } from './options/schema.js';
import { checkServiceConfig } from './options/service-config.js';

export type { BalancePolicy, HeadlessOptions } from './options/headless-options.js';

/** The options, checked and complete. Each group goes whole to the part that owns it. */
export type HeadlessSettings = SettingsOf<typeof SCHEMA>;

/**
 * Checks the value of the option `headless`.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the option, the value received and what is allowed.
 */
export function resolveOptions(raw: unknown): HeadlessSettings {
  const settings = readGroup(SCHEMA, raw, 'headless');
  const { outlier } = settings;
  if (outlier?.consecutiveFailures === 0 && outlier.failurePercentage === 0)
    throw refuseValue(
      'headless.outlier',
      { consecutiveFailures: 0, failurePercentage: 0 },
      'must have one of its rules on, or no pod is ever ejected; write outlier: false for none',
    );
  return settings;
}

/**
 * Checks the options of a channel: those of ours, that none of ours stands among grpc-js's, and the service config.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` as `resolveOptions`, or naming where an option belongs.
 */
export function resolveChannelOptions(options: Readonly<Record<string, unknown>>): HeadlessSettings {
  if (!isOptionsObject(options))
    throw refuseValue('of the channel', options, "must be an object such as { 'grpc.keepalive_time_ms': 10000 }");
  checkPlacement(options, SCHEMA);
  const settings = resolveOptions(options['headless']);
  checkServiceConfig(options['grpc.service_config'], SCHEMA);
  return settings;
}
