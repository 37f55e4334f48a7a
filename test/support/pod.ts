/**
 * A pod in this process: a Hello server on an address of 127.0.0.0/8 and a port that all pods of a Service share.
 *
 * It accepts connections itself and injects them into the gRPC server, so that it can count them and reset them.
 * `stop()` is what a well-behaved server does at SIGTERM, `kill()` what a crash looks like from outside.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerOptions,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type status,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { HelloClient, type HiRequest, type HiResponse } from './hello-service.js';
import type { ClusterPod } from './pod-runner.js';

/** What may change while the pod runs. */
export interface PodBehaviour {
  /** Each answer (each message of a stream) waits this long. */
  delayMs: number;
  /** Unary calls are never answered. */
  hang: boolean;
  /** Unary calls are answered with this status. */
  failWith: status | null;
  /** Unary calls take this much longer for each KiB of their message. */
  delayPerKiBMs: number;
  /** Unary calls worked on at the same time; others wait for their turn. 0: no limit. */
  workers: number;
  /** What its health service answers; null from the start: it has none. */
  health: 'SERVING' | 'NOT_SERVING' | null;
}

export interface PodOptions extends Partial<PodBehaviour> {
  /** What the pod answers in `from_who`. Default: its IP address. */
  name?: string;
  /** PEM. Default: none, plain HTTP/2. */
  tls?: { readonly certificate: Buffer; readonly key: Buffer };
  /** Handed to the gRPC server. Plain data only where the pod runs in another process. */
  server?: ServerOptions;
}

export interface PodStats {
  /** Calls that arrived, streams included. */
  calls: number;
  /** Calls that arrived and have not ended. */
  inFlight: number;
  /** Connections open now. */
  connections: number;
  /** Connections ever accepted: stays at 1 where a client never reconnected. */
  accepted: number;
}

/** So long after its last call a stopping pod waits for connections to end by themselves. */
const STRAY_MS = 500;

/** `port` 0 takes any free one; see `freePort` for one that is free on several addresses. */
export async function startPod(ip: string, port = 0, options: PodOptions = {}): Promise<Pod> {
  const listener = createServer({ noDelay: true });
  listener.listen(port, ip);
  await once(listener, 'listening');
  return new Pod(listener, options);
}

/** A port that is free on every one of these addresses. */
export async function freePort(ips: readonly string[]): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const listeners: NetServer[] = [];
    try {
      let port = 0;
      for (const ip of ips) {
        const listener = createServer();
        listener.listen(port, ip);
        await once(listener, 'listening');
        listeners.push(listener);
        port = (listener.address() as AddressInfo).port;
      }
      return port;
    } catch (error) {
      if (attempt === 20 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    } finally {
      await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
    }
  }
}

function serverCredentials({ tls }: PodOptions): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: tls.certificate, private_key: tls.key }]);
}

export class Pod implements ClusterPod {
  readonly ip: string;
  readonly port: number;
  readonly name: string;
  readonly behaviour: PodBehaviour;
  /** The `:authority` of the last call. */
  lastAuthority: string | undefined;

  readonly #listener: NetServer;
  readonly #server: Server;
  readonly #health: HealthImplementation | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Unary calls that wait for a worker. */
  readonly #queue: ((done: () => void) => void)[] = [];
  #working = 0;
  #calls = 0;
  #inFlight = 0;
  #accepted = 0;
  #stopped: Promise<void> | undefined;

  constructor(listener: NetServer, options: PodOptions) {
    const { address, port } = listener.address() as AddressInfo;
    this.ip = address;
    this.port = port;
    this.name = options.name ?? address;
    this.behaviour = {
      delayMs: options.delayMs ?? 0,
      hang: options.hang ?? false,
      failWith: options.failWith ?? null,
      delayPerKiBMs: options.delayPerKiBMs ?? 0,
      workers: options.workers ?? 0,
      health: options.health ?? null,
    };
    this.#server = new Server(options.server);
    if (this.behaviour.health !== null) {
      this.#health = new HealthImplementation({ '': this.behaviour.health });
      this.#health.addToServer(this.#server);
    }
    this.#server.addService(HelloClient.service, {
      Hi: (call: ServerUnaryCall<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>) =>
        this.#hi(call, callback),
      HiMany: (call: ServerWritableStream<HiRequest, HiResponse>) => this.#hiMany(call),
      HiAll: (call: ServerReadableStream<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>) =>
        this.#hiAll(call, callback),
      HiChat: (call: ServerDuplexStream<HiRequest, HiResponse>) => this.#hiChat(call),
    });
    const injector = this.#server.createConnectionInjector(serverCredentials(options));
    this.#listener = listener;
    listener.on('connection', (socket) => {
      this.#accepted += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {}); // A client may reset its connection at any time.
      injector.injectConnection(socket);
    });
  }

  /** `"ip:port"`. */
  get address(): string {
    return `${this.ip}:${this.port}`;
  }

  stats(): PodStats {
    return {
      calls: this.#calls,
      inFlight: this.#inFlight,
      connections: this.#sockets.size,
      accepted: this.#accepted,
    };
  }

  get calls(): number {
    return this.#calls;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  behave(changes: Partial<PodBehaviour>): void {
    Object.assign(this.behaviour, changes);
    if (changes.health) this.#health?.setStatus('', changes.health);
  }

  /** Gracefully: no new connection, GOAWAY on the open ones; resolves when every call has ended. */
  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      const unbound = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
      await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
      await this.#disconnected();
      await unbound;
    })();
    return this.#stopped;
  }

  /**
   * As a server that has no more than a health service: says NOT_SERVING, finishes what it has, and is gone without a word
   * when no call has come for `quietMs`, or after `mostMs`.
   */
  async retire({ quietMs, mostMs }: { quietMs: number; mostMs: number }): Promise<void> {
    this.behave({ health: 'NOT_SERVING' });
    const startedAt = performance.now();
    let [calls, busyAt] = [this.#calls, startedAt];
    while (performance.now() - busyAt < quietMs && performance.now() - startedAt < mostMs) {
      await sleep(5);
      if (this.#inFlight > 0 || this.#calls !== calls) busyAt = performance.now();
      calls = this.#calls;
    }
    await this.kill();
  }

  /** At once: every connection gets an RST, calls in flight are lost. */
  async kill(): Promise<void> {
    const unbound = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const timer of this.#timers) clearTimeout(timer);
    // A socket that is about to send its FIN cannot be reset, and would never be closed: Node 20 spins on it at exit.
    for (const socket of this.#sockets)
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    // Not `forceShutdown`, which destroys the sessions with an error: the server of grpc-js 1.14.0 has no listener for it
    // on a stream that has just begun, and the process would end. The sessions end with their sockets.
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await unbound;
  }

  /**
   * From Node 24 on `tryShutdown` does not wait for calls: its http2 server closes the sessions itself, and grpc-js takes
   * those that are closing for closed. But a session at its end closes its socket. A connection without a session (no
   * TLS handshake yet) is closed by no part of grpc-js, and would keep the listener open.
   */
  async #disconnected(): Promise<void> {
    let lastCallAt = performance.now();
    while (this.#sockets.size > 0) {
      if (this.#inFlight > 0) lastCallAt = performance.now();
      else if (performance.now() - lastCallAt > STRAY_MS) for (const socket of this.#sockets) socket.destroy();
      await sleep(5);
    }
  }

  #hi(call: ServerUnaryCall<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>): void {
    this.#begin(call);
    let ended = false;
    const end = (): void => {
      if (!ended) this.#inFlight -= 1;
      ended = true;
    };
    call.on('cancelled', end);
    if (this.behaviour.hang) return;
    const { delayMs, delayPerKiBMs, failWith } = this.behaviour;
    this.#queue.push((done) => {
      // Whose caller has gone is not worked on.
      if (ended) return done();
      this.#later(
        () => {
          end();
          if (failWith === null) callback(null, this.#response(call.request));
          else callback({ code: failWith, details: `${this.name} was told to fail` });
          done();
        },
        delayMs + (delayPerKiBMs * call.request.message.length) / 1024,
      );
    });
    this.#work();
  }

  #work(): void {
    const { workers } = this.behaviour;
    while (this.#queue.length > 0 && (workers === 0 || this.#working < workers)) {
      const job = this.#queue.shift();
      this.#working += 1;
      job?.(() => {
        this.#working -= 1;
        this.#work();
      });
    }
  }

  #hiMany(call: ServerWritableStream<HiRequest, HiResponse>): void {
    this.#begin(call);
    call.on('close', () => this.#end());
    const words = call.request.message.split(' ');
    const next = (): void => {
      const word = words.shift();
      if (call.cancelled || word === undefined) return void call.end();
      call.write(this.#response({ ...call.request, message: word }));
      this.#later(next);
    };
    this.#later(next);
  }

  #hiAll(call: ServerReadableStream<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>): void {
    this.#begin(call);
    call.on('close', () => this.#end());
    const messages: string[] = [];
    call.on('data', (request: HiRequest) => messages.push(request.message));
    call.on('error', () => {});
    call.on('end', () =>
      this.#later(() => callback(null, this.#response({ to_who: 'all', message: messages.join(' ') }))),
    );
  }

  #hiChat(call: ServerDuplexStream<HiRequest, HiResponse>): void {
    this.#begin(call);
    call.on('close', () => this.#end());
    call.on('data', (request: HiRequest) => this.#later(() => call.write(this.#response(request))));
    call.on('error', () => {});
    call.on('end', () => this.#later(() => call.end()));
  }

  #begin(call: { getHost(): string }): void {
    this.#calls += 1;
    this.#inFlight += 1;
    this.lastAuthority = call.getHost();
  }

  #end(): void {
    this.#inFlight -= 1;
  }

  #response(request: HiRequest): HiResponse {
    return { from_who: this.name, message: request.message };
  }

  #later(callback: () => void, delayMs = this.behaviour.delayMs): void {
    if (delayMs <= 0) {
      callback();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, delayMs);
    this.#timers.add(timer);
  }
}
