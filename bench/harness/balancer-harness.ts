/**
 * Any balancer that grpc-js knows by name, driven without a channel and without sockets: sets in, pickers out, the
 * subchannels' states set by hand. For what a balancer itself costs.
 */
import * as grpc from '@grpc/grpc-js';
import type { SelectionSettings } from '../../lib/balancer/selection.js';
import { registerHeadless } from '../../lib/compose.js';
import { defaultPort } from '../../lib/discovery/default-port.js';
import { addressesOf, applyResolution, EMPTY_MEMBERSHIP } from '../../lib/discovery/membership.js';
import type { Resolution } from '../../lib/dns/resolution.js';
import { CHANNEL_CONTEXT_KEY, ChannelContext } from '../../lib/grpc/channel-context.js';
import { HeadlessResolver } from '../../lib/grpc/resolver.js';
import { subchannelHealth } from '../../lib/health/subchannel-health.js';
import { leastRequest } from '../../lib/picker/least-request.js';
import { otherEndpoint } from '../../lib/picker/other-endpoint.js';
import type { Policy } from '../../lib/picker/policy.js';
import { systemRuntime } from '../../lib/runtime.js';
import { BalancerCounter, createCallCounters } from '../../lib/telemetry/counters.js';
import { FakeSource } from '../../test/support/fake-channel-context.js';
import { FakeControlHelper, type FakeSubchannel } from '../../test/support/fake-subchannel.js';
import { found, resolution } from '../../test/support/scripted-resolver.js';

const { ChildLoadBalancerHandler, parseLoadBalancingConfig, statusOrFromValue } = grpc.experimental;

type PickArgs = grpc.experimental.PickArgs;

const PORT = 50_051;
const PICK_ARGS: PickArgs = { metadata: new grpc.Metadata(), extraPickInfo: {} };

export class BalancerHarness {
  readonly #helper = new ForgetfulHelper();
  readonly #balancer: grpc.experimental.LoadBalancer;
  #connected = 0;
  readonly #newArgs: () => PickArgs = () => PICK_ARGS;

  /** The function gives it the set. */
  readonly prepare: Updater;

  /**
   * @param name as in `loadBalancingConfig`: `headless`, `round_robin` …
   * @param newCall makes what a config selector gives each call; default: the same for all.
   * @param selection of ours: the settings that differ from one connection to every pod.
   */
  constructor(
    name: string,
    policy: Policy = leastRequest,
    newCall: (() => object) | null = null,
    selection: Partial<SelectionSettings> = {},
  ) {
    if (newCall) this.#newArgs = () => ({ ...PICK_ARGS, extraPickInfo: newCall() as PickArgs['extraPickInfo'] });
    registerHeadless();
    const config = parseLoadBalancingConfig({ [name]: {} });
    this.#balancer = new ChildLoadBalancerHandler(this.#helper);
    const give: Give = (list, options) => this.#balancer.updateAddressList(list, config, options, '');
    this.prepare = name === 'headless' ? headlessUpdater(policy, selection, give) : listUpdater(give);
  }

  /** Gives it a set of IP addresses. */
  update(ips: readonly string[]): void {
    this.prepare(ips)();
  }

  /** Subchannels made so far. */
  get made(): number {
    return this.#helper.made.length;
  }

  /** Every subchannel that was made since the last time is connected now. */
  connect(): void {
    for (const subchannel of this.#helper.made.slice(this.#connected)) connect(subchannel);
    this.#connected = this.#helper.made.length;
  }

  /** From now on subchannels are found connected, as those that another channel, or the last set, had. */
  pooled(): void {
    this.#helper.initial = grpc.connectivityState.READY;
  }

  /** One pod's connection breaks and comes back. */
  flap(): void {
    const subchannel = this.#helper.made.findLast(({ refs }) => refs > 0);
    if (!subchannel) throw new Error('the balancer holds no subchannel');
    subchannel.become('IDLE');
    connect(subchannel);
  }

  /** Picks so often with the latest picker. */
  pick(times: number): void {
    const picker = this.#helper.published.at(-1)?.picker;
    if (!picker) throw new Error('the balancer has published no picker');
    for (let count = 0; count < times; count++) picker.pick(this.#newArgs());
  }

  /** Forgets subchannels that were let go, which would pass for the balancer's own memory. */
  forget(): void {
    this.#helper.made.splice(0, this.#helper.made.length, ...this.#helper.made.filter(({ refs }) => refs > 0));
    this.#connected = this.#helper.made.length;
  }

  destroy(): void {
    this.#balancer.destroy();
  }
}

type List = grpc.experimental.StatusOr<grpc.experimental.Endpoint[]>;
/** Makes of a set what a resolver has made already; the function returned does what remains until the picker is out. */
type Updater = (ips: readonly string[]) => () => void;
type Give = (list: List, options: grpc.ChannelOptions) => void;

/** Lists as grpc-js's own resolvers hand them out, all but made. */
function listUpdater(give: Give): Updater {
  const endpoints = new Map<string, grpc.experimental.Endpoint>();
  const endpointOf = (host: string): grpc.experimental.Endpoint => {
    const endpoint = endpoints.get(host) ?? { addresses: [{ host, port: PORT }] };
    endpoints.set(host, endpoint);
    return endpoint;
  };
  return (ips) => {
    const list = ips.map(endpointOf);
    return () => give(statusOrFromValue(list), {});
  };
}

/** All that follows an answer: the comparison with the last one, our resolver, our balancer. */
function headlessUpdater(policy: Policy, selection: Partial<SelectionSettings>, give: Give): Updater {
  const source = new FakeSource();
  const counter = new BalancerCounter();
  const context = new ChannelContext({
    target: 'headless:///balancer.harness:1',
    authority: 'balancer.harness:1',
    source,
    filters: [defaultPort(PORT)],
    policy,
    forRetries: otherEndpoint,
    retry: null,
    monitors: [subchannelHealth],
    drain: { lingerMs: 30_000, timeoutMs: null },
    selection: { subsetSize: null, connections: 1, ...selection },
    runtime: systemRuntime,
    emit: counter.emit,
    counters: counter.counters,
    calls: createCallCounters(),
  });
  const options = { [CHANNEL_CONTEXT_KEY]: context };
  const listener = (list: List): boolean => {
    give(list, options);
    return true;
  };
  new HeadlessResolver(context, listener, {}).updateResolution();
  let membership = EMPTY_MEMBERSHIP;
  return (ips) => {
    const answer = answerOf(ips);
    return () => {
      const update = applyResolution(membership, answer, 'keep');
      membership = update.membership;
      const addresses = addressesOf(membership);
      source.tell({ addresses, changed: update.changed, error: null });
    };
  };
}

/** A resolution as our DNS client gives it. */
export function answerOf(ips: readonly string[]): Resolution {
  return resolution({ A: found(ips) });
}

/** A channel holds one picker, the last; to remember them all would cost more memory than anything measured here. */
class ForgetfulHelper extends FakeControlHelper {
  override updateState(...state: Parameters<FakeControlHelper['updateState']>): void {
    this.published.length = 0;
    super.updateState(...state);
  }
}

function connect(subchannel: FakeSubchannel): void {
  subchannel.become('CONNECTING');
  subchannel.become('READY');
}
