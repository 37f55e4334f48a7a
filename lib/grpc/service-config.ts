/**
 * The user's `grpc.service_config` with our balancer in it. A config that comes from a resolver replaces the user's,
 * so all of it is carried over; grpc-js has validated the text by then (the channel's constructor throws). The option
 * `retry` becomes the retry policy of every method for which the user's config has neither a retry nor a hedging policy.
 */
import { type MethodConfig, parseDuration, type ServiceConfig, selectLbConfigFromList } from './experimental.js';

/** The name under which our balancer stands in `loadBalancingConfig`. */
export const BALANCER_NAME = 'headless';

type BalancingConfig = ServiceConfig['loadBalancingConfig'];

const OURS: BalancingConfig = [{ [BALANCER_NAME]: {} }];

/** Durations and names as text, as the JSON form has them (gRFC A2, gRFC A6). */
type RawMethodConfig = Omit<MethodConfig, 'timeout'> & { timeout?: string | NonNullable<MethodConfig['timeout']> };

export interface ReadConfig {
  readonly config: ServiceConfig;
  /** The name of the balancer that the user's config puts in the place of ours; null where it does not. */
  readonly otherBalancer: string | null;
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
  const loadBalancingConfig = otherBalancer === null ? named : observed(named);
  const methodConfig = withRetries((raw.methodConfig ?? []).map(readMethodConfig), retry);
  return { config: { ...raw, loadBalancingConfig, methodConfig }, otherBalancer };
}

const told = new Set<string>();

/** Warns of a balancer in the place of ours, once in a process for each. It is most often left over from `dns:///`. */
export function warnOfOtherBalancer(name: string): void {
  if (told.has(name)) return;
  told.add(name);
  process.emitWarning(
    `by the loadBalancingConfig of your 'grpc.service_config', grpc-js's "${name}" balances the calls in the place of ` +
      'grpc-headless. It drains no pod, and options such as headless.balance have no effect. ' +
      "Delete loadBalancingConfig there, or write [{ headless: {} }]. snapshot().balancer shows the balancer's name",
    { code: 'GRPC_HEADLESS_BALANCER' },
  );
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
