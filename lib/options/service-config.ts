/**
 * The channel option `grpc.service_config`, as far as it is ours: that it is text that can be read at all, and that our
 * balancer's entry in its `loadBalancingConfig` is empty. All else is grpc-js's to check.
 */
import { HeadlessError } from '../errors.js';
import type { Members } from './entry.js';
import { isOptionsObject } from './options-object.js';
import { nearPlaces, samePlaces, spelledOut } from './places.js';
import { formatValue, refuseValue } from './refusal.js';

const OPTION = 'grpc.service_config';

/** The name of our balancer. */
const BALANCER = 'headless';

/** Set by this package itself, where another balancer takes the place of ours. */
const INTERNAL = 'child_policy';

/**
 * @param members our options, for an entry that has some of them.
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the channel option, the value and the remedy.
 */
export function checkServiceConfig(value: unknown, members: Members): void {
  // grpc-js takes `null`, `''` and `false` for no config.
  if (!value) return;
  const { loadBalancingConfig } = readObject(value);
  checkBalancers(loadBalancingConfig, 'loadBalancingConfig', members);
}

function readObject(value: unknown): Readonly<Record<string, unknown>> {
  const rule = `must be the JSON text of an object, which is gRPC's service config, such as '{"methodConfig":[…]}'`;
  if (typeof value !== 'string')
    throw refuseValue(OPTION, value, isOptionsObject(value) ? `${rule} (use JSON.stringify)` : rule);
  let config: unknown;
  try {
    config = JSON.parse(value);
  } catch (error) {
    throw refuseText(value, rule, error as SyntaxError);
  }
  if (isOptionsObject(config)) return config;
  throw refuseValue(OPTION, value, rule);
}

function refuseText(value: string, rule: string, cause: SyntaxError): HeadlessError {
  const { message } = refuseValue(OPTION, value, rule);
  return new HeadlessError('ERR_HEADLESS_OPTION', `${message}: ${cause.message}`, { cause });
}

/** Ours may be the child of another balancer, at any depth. */
function checkBalancers(value: unknown, path: string, members: Members): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    const innerPath = Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`;
    if (name === BALANCER && !Array.isArray(value)) checkBalancerConfig(inner, members, innerPath);
    checkBalancers(inner, innerPath, members);
  }
}

/**
 * Checks the settings of our balancer in a service config. It has none: the options of the channel are its settings.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming what stands there, and where it belongs.
 */
export function checkBalancerConfig(config: unknown, members: Members, path: string = BALANCER): void {
  if (!isOptionsObject(config)) throw refuseValue(`${OPTION}: ${path}`, config, 'must be {}');
  for (const [name, value] of Object.entries(config)) {
    if (name === INTERNAL) continue;
    const same = samePlaces(name, members);
    const places = (same.length > 0 ? same : nearPlaces(name, members)).map(spelledOut).join(' or ');
    const remedy = places
      ? `it belongs among the channel's options: write ${places} there, and {} here`
      : `${path} must be {}; the options of grpc-headless stand under "headless" in the channel's options`;
    const fault = same.length > 0 || !places ? '' : `, did you mean "${nearPlaces(name, members)[0]?.names.at(-1)}"?`;
    throw new HeadlessError(
      'ERR_HEADLESS_OPTION',
      `unknown option ${OPTION}: ${path}.${name} (value ${formatValue(value)})${fault}: ${remedy}`,
    );
  }
}
