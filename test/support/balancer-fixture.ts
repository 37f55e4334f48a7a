/** A balancer in a channel that the test drives: sets in, subchannels' states in, picks out. */
import assert from 'node:assert/strict';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { CHANNEL_CONTEXT_KEY } from '../../lib/grpc/channel-context.js';
import { type GrpcEndpoint, type PickArgs, statusOrFromError, statusOrFromValue } from '../../lib/grpc/experimental.js';
import { HeadlessLoadBalancingConfig, LoadBalancerAdapter } from '../../lib/grpc/load-balancer-adapter.js';
import { type FakeContextSettings, fakeContext } from './fake-channel-context.js';
import { FakeControlHelper, type FakeSubchannel, type Published } from './fake-subchannel.js';

const CONFIG = new HeadlessLoadBalancingConfig();
const PORT = 50051;

/** Pods are named by letters; `give('abc')` is a set of three. */
export function balancerFixture(settings: FakeContextSettings = {}, options: Record<string, unknown> = {}) {
  const { clock, source, context, events } = fakeContext(settings);
  const { counters } = context.parts;
  const helper = new FakeControlHelper();
  const balancer = new LoadBalancerAdapter(helper);
  context.open(() => {});
  const all = { ...options, [CHANNEL_CONTEXT_KEY]: context };

  const giveList = (endpoints: GrpcEndpoint[], note = ''): boolean =>
    balancer.updateAddressList(statusOrFromValue(endpoints), CONFIG, all, note);
  const give = (pods: Iterable<string>, note = ''): boolean =>
    giveList(
      [...pods].map((host) => ({ addresses: [{ host, port: PORT }] })),
      note,
    );
  const fail = (details: string): boolean =>
    balancer.updateAddressList(statusOrFromError({ code: status.UNAVAILABLE, details }), CONFIG, all, details);
  /** The subchannel made last for a pod. */
  const pod = (name: string): FakeSubchannel => {
    const found = helper.made.findLast(({ address }) => address === `${name}:${PORT}`);
    if (!found) throw new Error(`no subchannel was made for ${name}`);
    return found;
  };
  const last = (): Published => helper.published.at(-1) ?? assert.fail('nothing was published');
  const pick = () => last().picker.pick({} as PickArgs);
  /** The pods that calls go to now, in alphabetical order. */
  const serving = (): string => {
    const picked = new Set<string>();
    for (let call = 0; call < 30; call++) picked.add(pick().subchannel?.getAddress() ?? 'none');
    return [...picked]
      .map((address) => address.replace(`:${PORT}`, ''))
      .sort()
      .join('');
  };
  const up = (pods: string): void => {
    for (const name of pods) pod(name).become('READY');
  };
  /** A call that begins now; the function ends it. */
  const call = (): ((code?: status) => void) => {
    const result = pick();
    result.onCallStarted?.();
    return (code = status.OK) => result.onCallEnded?.(code, '', {} as never);
  };
  /** As `call`, by the way that calls of grpc-js take; `statuses` has how it ended. */
  const begin = (statuses: StatusObject[] = []): (() => void) => {
    const result = pick();
    const real = result.subchannel?.getRealSubchannel() ?? assert.fail('no subchannel was picked');
    const listener = {
      onReceiveMetadata() {},
      onReceiveMessage() {},
      onReceiveStatus(end: StatusObject) {
        statuses.push({ code: end.code, details: end.details, metadata: end.metadata });
        result.onCallEnded?.(end.code, end.details, end.metadata);
      },
    };
    const started = real.createCall(new Metadata(), 'svc.ns', '/a.A/Do', listener, statuses.length);
    result.onCallStarted?.();
    return () => started.cancelWithStatus(status.OK, '');
  };
  const states = (): Record<string, string> =>
    Object.fromEntries(balancer.endpoints().map(({ address, state }) => [address.replace(`:${PORT}`, ''), state]));
  const made = (): string => helper.made.map(({ address }) => address[0]).join('');
  const held = (): string =>
    helper.made
      .filter(({ refs }) => refs > 0)
      .map(({ address }) => address[0])
      .join('');
  return {
    clock,
    source,
    context,
    counters,
    events,
    helper,
    balancer,
    giveList,
    give,
    fail,
    pod,
    last,
    pick,
    serving,
    up,
    call,
    begin,
    states,
    made,
    held,
  };
}

/** As `balancerFixture`, with two READY pods: a and b. */
export function twoReady(settings?: FakeContextSettings) {
  const made = balancerFixture(settings);
  made.give('ab');
  made.up('ab');
  return made;
}
