/**
 * The user's `grpc.service_config` with our balancer in it. A config that comes from a resolver replaces the user's,
 * so all of it is carried over; grpc-js has validated the text by then (the channel's constructor throws). The option
 * `retry` becomes the retry policy of every method for which the user's config has neither a retry nor a hedging policy.
 */
import type { BalancePolicy } from '../options/headless-options.js';
import { type MethodConfig, parseDuration, type ServiceConfig, selectLbConfigFromList } from './experimental.js';

/** The name under which our balancer stands in `loadBalancingConfig`. */
export const BALANCER_NAME = 'headless';

type BalancingConfig = ServiceConfig['loadBalancingConfig'];

const OURS: BalancingConfig = [{ [BALANCER_NAME]: {} }];

/** Of our policies, those that no balancer of grpc-js has the name of. */
const POLICIES: readonly string[] = ['least_request', 'peak_ewma'] satisfies BalancePolicy[];

/** Durations and names as text, as the JSON form has them (gRFC A2, gRFC A6). */
type RawMethodConfig = Omit<MethodConfig, 'timeout'> & { timeout?: string | NonNullable<MethodConfig['timeout']> };

export interface ReadConfig {
  readonly config: ServiceConfig;
  /** The name of the balancer that the user's config puts in the place of ours; null where it does not. */
  readonly otherBalancer: string | null;
  /** The names in the user's list, where grpc-js can use none of them and takes its default balancer; empty otherwise. */
  readonly unusable: readonly string[];
}

/** The option `retry`. */
export interface RetrySettings {
  /** The first attempt counts. */
  readonly attempts: number;
  /** Names of status codes. */
  readonly codes: readonly string[];
}

/** Short at first, because the next attempt goes to another pod; grpc-js adds a jitter of 20 % either way (gRFC A6). */
const BACKOFF = { initialBackoff: '0.02s', maxBackoff: '1s', backoffMultiplier: 2 };

/** @param text the value of the channel option `grpc.service_config`, already found valid by grpc-js. */
export function readServiceConfig(text: string | undefined, retry: RetrySettings | null = null): ReadConfig {
  const raw = (text ? JSON.parse(text) : {}) as Partial<Omit<ServiceConfig, 'methodConfig'>> & {
    methodConfig?: RawMethodConfig[];
  };
  const named = raw.loadBalancingConfig?.length ? raw.loadBalancingConfig : OURS;
  const otherBalancer = otherBalancerIn(named);
  const unusable = otherBalancer !== null && selectLbConfigFromList(named) === null ? named.flatMap(Object.keys) : [];
  const loadBalancingConfig = otherBalancer === null ? named : observed(named);
  const methodConfig = withRetries((raw.methodConfig ?? []).map(readMethodConfig), retry);
  return { config: { ...raw, loadBalancingConfig, methodConfig }, otherBalancer, unusable };
}

const told = new Set<string>();

/**
 * Warns of a balancer in the place of ours, once in a process for each. It is most often left over from `dns:///`.
 *
 * @param unusable as in {@link ReadConfig}.
 */
export function warnOfOtherBalancer(name: string, unusable: readonly string[] = []): void {
  const key = [name, ...unusable].join();
  if (told.has(key)) return;
  told.add(key);
  const named = unusable.map((one) => `"${one}"`).join(', ');
  const reason = unusable.length
    ? `grpc-js has no balancer ${named}, or cannot read its settings, and so takes its default: `
    : '';
  process.emitWarning(
    `by the loadBalancingConfig of your 'grpc.service_config', ${reason}grpc-js's "${name}" balances the calls in the place of ` +
      'grpc-headless. It drains no pod, and options such as headless.balance have no effect. ' +
      `Delete loadBalancingConfig there, or write [{ headless: {} }]. ${policyRemedy(unusable)}` +
      "snapshot().balancer shows the balancer's name",
    { code: 'GRPC_HEADLESS_BALANCER' },
  );
}

/** For names that are policies of ours, which a service config cannot choose. */
function policyRemedy(unusable: readonly string[]): string {
  const policy = unusable.find((name) => POLICIES.includes(name));
  return policy === undefined
    ? ''
    : `The channel option headless: { balance: { policy: '${policy}' } } chooses that policy. `;
}

/** grpc-js takes the first balancer of the list that it can read, and pick_first where it can read none. */
function otherBalancerIn(list: BalancingConfig): string | null {
  if (list === OURS) return null;
  const chosen = selectLbConfigFromList(list, true);
  return chosen === null || namesOurs(chosen.toJsonObject()) ? null : chosen.getLoadBalancerName();
}

/** Ours may be the child of another, such as `outlier_detection`. */
function namesOurs(config: unknown): boolean {
  if (typeof config !== 'object' || config === null) return false;
  return Object.entries(config).some(([name, value]) => name === BALANCER_NAME || namesOurs(value));
}

/** Ours is made all the same, and makes the other one: so a snapshot can show what the other one does. */
function observed(list: BalancingConfig): BalancingConfig {
  return [{ [BALANCER_NAME]: { child_policy: list } }];
}

function withRetries(configs: MethodConfig[], retry: RetrySettings | null): MethodConfig[] {
  if (!retry) return configs;
  const retryPolicy: NonNullable<MethodConfig['retryPolicy']> = {
    maxAttempts: retry.attempts,
    ...BACKOFF,
    retryableStatusCodes: [...retry.codes],
  };
  const own = configs.map((config) =>
    config.retryPolicy || config.hedgingPolicy ? config : { ...config, retryPolicy },
  );
  // grpc-js takes the first config that fits: this one is for methods that no config of the user's names.
  return [...own, { name: [{}], retryPolicy }];
}

function readMethodConfig({ timeout, ...rest }: RawMethodConfig): MethodConfig {
  const duration = typeof timeout === 'string' ? parseDuration(timeout) : timeout;
  return duration ? { ...rest, timeout: duration } : rest;
}
