/**
 * Any balancer that grpc-js knows by name, driven without a channel and without sockets: sets in, pickers out, the
 * subchannels' states set by hand. For what a balancer itself costs.
 */
import * as grpc from '@grpc/grpc-js';
import { LINK_KEY, type Link } from '../../lib/balancer/link.js';
import { createLink, registerScheme } from '../../lib/balancer/scheme.js';
import { resolveOptions } from '../../lib/options.js';
import { systemRuntime } from '../../lib/runtime.js';
import { parseTarget } from '../../lib/target.js';
import { FakeControlHelper, type FakeSubchannel } from '../../test/helpers/fake-subchannel.js';

const { ChildLoadBalancerHandler, parseLoadBalancingConfig, statusOrFromValue } = grpc.experimental;

const PORT = 50_051;
const PICK_ARGS = { metadata: new grpc.Metadata(), extraPickInfo: {} };

export class DrivenBalancer {
  readonly #helper = new ForgetfulHelper();
  readonly #config: grpc.experimental.TypedLoadBalancingConfig;
  readonly #balancer: grpc.experimental.LoadBalancer;
  readonly #options: grpc.ChannelOptions;
  readonly #endpoints = new Map<string, grpc.experimental.Endpoint>();
  #connected = 0;

  /** @param name as in `loadBalancingConfig`: `headless`, `round_robin` … */
  constructor(name: string, policy: 'least_request' | 'round_robin' = 'least_request') {
    registerScheme();
    const settings = resolveOptions({ balance: { policy }, dns: { lookup: () => new Promise(() => {}) } });
    const link: Link = createLink(parseTarget('driven.balancer:1'), settings, systemRuntime);
    this.#options = { [LINK_KEY]: link };
    this.#config = parseLoadBalancingConfig({ [name]: {} });
    this.#balancer = new ChildLoadBalancerHandler(this.#helper);
  }

  /** Gives it a set of IP addresses. */
  update(ips: readonly string[]): void {
    this.apply(this.prepare(ips));
  }

  /** A set as a resolver hands it out: the same object for the same address. */
  prepare(ips: readonly string[]): grpc.experimental.Endpoint[] {
    return ips.map((host) => this.#endpointOf(host));
  }

  apply(endpoints: grpc.experimental.Endpoint[]): void {
    this.#balancer.updateAddressList(statusOrFromValue(endpoints), this.#config, this.#options, '');
  }

  #endpointOf(host: string): grpc.experimental.Endpoint {
    const endpoint = this.#endpoints.get(host) ?? { addresses: [{ host, port: PORT }] };
    this.#endpoints.set(host, endpoint);
    return endpoint;
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
    for (let count = 0; count < times; count++) picker.pick(PICK_ARGS);
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
