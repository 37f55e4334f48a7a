/** Endpoints on fake subchannels, without a balancer: for pickers. */
import { connectivityState } from '@grpc/grpc-js';
import { Endpoint } from '../../lib/balancer/endpoint.js';
import type { EndpointContext } from '../../lib/balancer/endpoint-context.js';
import { createCallCounters } from '../../lib/telemetry/counters.js';
import { FakeSubchannel } from './fake-subchannel.js';

const CONTEXT: EndpointContext = {
  clock: { now: () => 0, setTimer: () => ({ cancel() {} }), wallTime: () => 0 },
  drain: { lingerMs: 0, timeoutMs: null },
  tracksCalls: false,
  monitors: [],
  calls: createCallCounters(),
  callAuthority: 'svc.ns:50051',
  createSubchannel: ({ host }) => new FakeSubchannel(host, connectivityState.READY),
  onSubchannelReleased() {},
  emit() {},
  onStateChange() {},
  onSubchannelState() {},
  isLastResort: () => false,
};

/**
 * A READY endpoint with so many calls in flight. Its host, and its subchannel's address, are the name.
 * @param joinedAt when it joined a set in use; null: it was in the first set.
 */
export function readyEndpoint(name: string, calls = 0, joinedAt: number | null = null): Endpoint {
  const clock = { ...CONTEXT.clock, now: () => joinedAt ?? 0 };
  const endpoint = new Endpoint({ host: name, port: 1 }, { ...CONTEXT, clock });
  endpoint.joinsSetInUse = joinedAt !== null;
  endpoint.start();
  for (let call = 0; call < calls; call++) endpoint.pickResult.onCallStarted?.();
  return endpoint;
}

/** Endpoints named by letters. */
export function readyEndpoints(names: string, calls: readonly number[] = []): Endpoint[] {
  return [...names].map((name, index) => readyEndpoint(name, calls[index]));
}
