/**
 * The user's `grpc.service_config` with our balancer in it. A config that comes from a resolver replaces the user's,
 * so all of it is carried over; grpc-js has validated the text by then (the channel's constructor throws).
 */
import { type MethodConfig, parseDuration, type ServiceConfig } from './experimental.js';

/** The name under which our balancer stands in `loadBalancingConfig`. */
export const BALANCER_NAME = 'headless';

const OURS: ServiceConfig['loadBalancingConfig'] = [{ [BALANCER_NAME]: {} }];

/** Durations and names as text, as the JSON form has them (gRFC A2, gRFC A6). */
type RawMethodConfig = Omit<MethodConfig, 'timeout'> & { timeout?: string | NonNullable<MethodConfig['timeout']> };

/** @param text the value of the channel option `grpc.service_config`, already found valid by grpc-js. */
export function withOurBalancer(text: string | undefined): ServiceConfig {
  const raw = (text ? JSON.parse(text) : {}) as Partial<Omit<ServiceConfig, 'methodConfig'>> & {
    methodConfig?: RawMethodConfig[];
  };
  return {
    ...raw,
    // A balancer that the user names is the user's choice.
    loadBalancingConfig: raw.loadBalancingConfig?.length ? raw.loadBalancingConfig : OURS,
    methodConfig: (raw.methodConfig ?? []).map(readMethodConfig),
  };
}

export function isOurBalancer({ loadBalancingConfig }: ServiceConfig): boolean {
  return loadBalancingConfig === OURS;
}

function readMethodConfig({ timeout, ...rest }: RawMethodConfig): MethodConfig {
  const duration = typeof timeout === 'string' ? parseDuration(timeout) : timeout;
  return duration ? { ...rest, timeout: duration } : rest;
}
