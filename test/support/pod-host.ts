/**
 * A separate process that serves pods (one, or a benchmark's hundred) and, where asked, a DNS server.
 *
 *     const host = await PodHost.spawn();
 *     const pod = await host.start(range.ip(0), port, { delayMs: 2 });
 *     await pod.behave({ hang: true });  await pod.stats();  await pod.stop();
 *     await host.close();
 */
import type { DnsServerOptions } from './dns-server.js';
import type { PodBehaviour, PodOptions, PodStats } from './pod.js';
import type { PodProgram } from './pod-main.js';
import type { ClusterDns, ClusterPod } from './pod-runner.js';
import { type RpcClient, RpcProcess, type RpcProcessOptions } from './rpc.js';

const PROGRAM = new URL('./pod-main.ts', import.meta.url);

export class PodHost {
  readonly call: RpcClient<PodProgram>;
  readonly #process: RpcProcess<PodProgram>;

  /** Resolves when the process takes calls. */
  static async spawn(options?: Pick<RpcProcessOptions, 'namespace'>): Promise<PodHost> {
    return new PodHost(await RpcProcess.start<PodProgram>(PROGRAM, options));
  }

  private constructor(process: RpcProcess<PodProgram>) {
    this.#process = process;
    this.call = process.call;
  }

  /** Resolves when the pod accepts connections. `port` 0 takes any free one. */
  async start(ip: string, port = 0, options: PodOptions = {}): Promise<RemotePod> {
    return new RemotePod(this.call, ip, await this.call.startPod(ip, port, options), options.name ?? ip);
  }

  /** One server for each process. */
  async startDns(options: DnsServerOptions = {}): Promise<RemoteDns> {
    return new RemoteDns(this.call, await this.call.startDns(options));
  }

  /** How long SIGTERM leaves the pods serving before they send GOAWAY. Default 0. */
  setLameDuck(ms: number): Promise<void> {
    return this.call.setLameDuck(ms);
  }

  /** Ends the process and its pods at once. */
  close(): Promise<void> {
    return this.#process.end();
  }

  /** Sends a signal and waits until the process has exited. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#process.end(signal);
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }
}

/** A pod of another process. Its end leaves the process alive. */
export class RemotePod implements ClusterPod {
  readonly ip: string;
  readonly port: number;
  readonly address: string;
  readonly name: string;
  readonly #program: RpcClient<PodProgram>;

  constructor(program: RpcClient<PodProgram>, ip: string, port: number, name: string) {
    this.#program = program;
    this.ip = ip;
    this.port = port;
    this.address = `${ip}:${port}`;
    this.name = name;
  }

  behave(changes: Partial<PodBehaviour>): Promise<void> {
    return this.#program.behave(this.address, changes);
  }

  stats(): Promise<PodStats> {
    return this.#program.stats(this.address);
  }

  stop(): Promise<void> {
    return this.#program.stopPod(this.address);
  }

  /** See `Pod.retire`. */
  retire(times: { quietMs: number; mostMs: number }): Promise<void> {
    return this.#program.retirePod(this.address, times);
  }

  /** RST on every connection. */
  kill(): Promise<void> {
    return this.#program.killPod(this.address);
  }
}

/** The DNS server of another process. */
export class RemoteDns implements ClusterDns {
  readonly address: string;
  readonly #program: RpcClient<PodProgram>;

  constructor(program: RpcClient<PodProgram>, address: string) {
    this.#program = program;
    this.address = address;
  }

  /** Calls to one process are handled in order, so that waiting for this one is not needed. */
  set(name: string, addresses: readonly string[], options: { ttl?: number } = {}): void {
    void this.#program.setRecords(name, addresses, options);
  }

  remove(name: string): void {
    void this.#program.removeRecords(name);
  }

  /** Queries for this name so far. */
  asked(name: string): Promise<number> {
    return this.#program.asked(name);
  }
}
