/** A client of this process: a channel of ours, or one of grpc-js alone. */
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../../lib/index.js';
import { endpointSlices } from '../../lib/kubernetes.js';
import { kubeConfigOf } from '../../test/support/fake-api-server.js';
import { seededRandom } from '../../test/support/fake-random.js';
import { unary } from '../../test/support/hello-calls.js';
import { HelloClient } from '../../test/support/hello-service.js';
import { OpenLoop } from '../../test/support/load-generator.js';
import { performanceOffsetMs, wallOffsetMs } from './clock.js';
import type { Client } from './grid.js';
import { CallKeeper, type ClientLog, type ClientSettings, type Observer, READY_WITHIN_MS } from './observer.js';

/** Of a client that runs in this process. */
interface ChannelSettings extends ClientSettings {
  readonly client: Exclude<Client, { readonly kind: 'kuberesolver' }>;
}

const WATCH_MS = 20;

export class ChannelObserver implements Observer {
  readonly #settings: ChannelSettings;
  readonly #channel: HeadlessChannel | null;
  readonly #client: HelloClient;
  readonly #load: OpenLoop;
  readonly #updates: { at: number; added: readonly string[]; removed: readonly string[] }[] = [];
  readonly #connected: { at: number; address: string }[] = [];
  readonly #unconnected = new Set<string>();
  #watching: NodeJS.Timeout | null = null;
  readonly #calls: CallKeeper;
  #before = { polls: 0, queries: 0 };

  constructor(settings: ChannelSettings, seed: number) {
    this.#settings = settings;
    // Cells of one process must not share connections.
    const common = { 'grpc.use_local_subchannel_pool': 1 };
    const { client } = settings;
    if (client.kind === 'headless' || client.kind === 'watch') {
      const chosen =
        client.kind === 'watch'
          ? { source: endpointSlices({ kubeConfig: kubeConfigOf(settings.api) }) }
          : { refresh: client.refresh };
      this.#channel = new HeadlessChannel(settings.target, credentials.createInsecure(), {
        ...common,
        headless: { ...chosen, dns: { servers: [settings.dns], search: [] } },
      });
      this.#channel.on('update', ({ added, removed }) => this.#onUpdate(added, removed));
      this.#client = new HelloClient(settings.target, credentials.createInsecure(), { channelOverride: this.#channel });
    } else if (client.kind === 'haproxy') {
      this.#channel = null;
      this.#client = new HelloClient(settings.target, credentials.createInsecure(), common);
    } else {
      this.#channel = null;
      this.#client = new HelloClient(`dns://${settings.dns}/${settings.target}`, credentials.createInsecure(), {
        ...common,
        'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
        'grpc.dns_min_time_between_resolutions_ms': client.dnsFloorMs,
      });
    }
    this.#load = new OpenLoop(unary(this.#client), {
      callsPerSecond: settings.callsPerSecond,
      random: seededRandom(seed),
    });
    this.#calls = new CallKeeper(this.#load.recorder, performanceOffsetMs);
  }

  async connect(): Promise<void> {
    // The error of `ready()` says what prevents it.
    if (this.#channel) await this.#channel.ready({ timeoutMs: READY_WITHIN_MS });
    else
      await new Promise<void>((resolve, reject) =>
        this.#client.waitForReady(Date.now() + READY_WITHIN_MS, (error) =>
          error ? reject(new Error(`${this.#settings.id}: ${error.message}`)) : resolve(),
        ),
      );
  }

  call(): void {
    this.#load.start();
  }

  begin(): void {
    this.#calls.reset();
    this.#before = this.#counters;
  }

  async finish(): Promise<ClientLog> {
    const { polls, queries } = this.#counters;
    await this.#load.stop();
    if (this.#watching) clearInterval(this.#watching);
    this.#client.close();
    const ours = this.#channel !== null;
    return {
      ...this.#calls.log(),
      id: this.#settings.id,
      updates: this.#updates,
      connected: this.#connected,
      polls: ours ? polls - this.#before.polls : null,
      queries: ours ? queries - this.#before.queries : null,
    };
  }

  get #counters(): { polls: number; queries: number } {
    return this.#channel?.snapshot().counters ?? { polls: 0, queries: 0 };
  }

  #onUpdate(added: readonly string[], removed: readonly string[]): void {
    this.#updates.push({ at: performance.now() + performanceOffsetMs, added, removed });
    for (const address of added) this.#unconnected.add(address);
    for (const address of removed) this.#unconnected.delete(address);
    this.#watching ??= setInterval(() => this.#watch(), WATCH_MS);
  }

  /** Snapshots say since when an endpoint is READY, so looking seldom costs no precision. */
  #watch(): void {
    for (const { address, state, since } of this.#channel?.snapshot().endpoints ?? [])
      if (state === 'ready' && this.#unconnected.delete(address))
        this.#connected.push({ at: since + wallOffsetMs(), address });
    if (this.#unconnected.size > 0 || !this.#watching) return;
    clearInterval(this.#watching);
    this.#watching = null;
  }
}
