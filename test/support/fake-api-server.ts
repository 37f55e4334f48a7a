/**
 * What the Kubernetes API server does for EndpointSlices: list and watch by label, bookmarks, expired versions, refusals.
 * Faults are switched on and off in mid-test. Plain HTTP on loopback.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export interface FakeEndpoint {
  readonly ip: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
  readonly zone?: string;
  readonly forZones?: readonly string[];
}

export interface FakeSlice {
  /** Default `test`. */
  readonly namespace?: string;
  /** Default `hello`. */
  readonly service?: string;
  /** Default `IPv4`. */
  readonly addressType?: string;
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
  readonly endpoints: readonly FakeEndpoint[];
}

interface Stored {
  readonly namespace: string;
  readonly service: string;
  readonly object: { readonly metadata: { readonly name: string; readonly resourceVersion: string } };
}

interface Event {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly stored: Stored;
}

interface Watcher {
  readonly namespace: string;
  readonly service: string;
  readonly bookmarks: boolean;
  readonly response: ServerResponse;
}

/** For the context of a pod in the namespace `test`. */
export function kubeConfigOf(url: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'fake', server: url, skipTLSVerify: true }],
    users: [{ name: 'pod', token: 'the-token' }],
    contexts: [{ name: 'fake', cluster: 'fake', user: 'pod', namespace: 'test' }],
    currentContext: 'fake',
  });
  return config;
}

/** With `watch/`, the older form of a watch, which kuberesolver uses. */
const PATH = /^\/apis\/discovery\.k8s\.io\/v1\/(watch\/)?namespaces\/([^/]+)\/endpointslices$/;

export class FakeApiServer {
  readonly #slices = new Map<string, Stored>();
  readonly #events: Event[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #version = 100;
  /** Versions before this one are expired. */
  #oldest = 0;
  /** The path and query of each request. */
  readonly requests: URL[] = [];
  /** The `authorization` of each request. */
  readonly tokens: (string | undefined)[] = [];
  /** Requests of the verb get no answer but this status. */
  refuse: { readonly verb: 'list' | 'watch' | 'any'; readonly status: number } | null = null;
  /** Nothing is answered and nothing is sent; connections stay open, as of a process that is stopped. */
  hanging = false;
  /** Every watch is ended as soon as it has begun. */
  endsAtOnce = false;

  static async start(): Promise<FakeApiServer> {
    const api = new FakeApiServer();
    await api.listen();
    return api;
  }

  /** On the same port as before, if there was one. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Away: connections are reset, and new ones refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.breakWatches();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  kubeConfig(): KubeConfig {
    return kubeConfigOf(this.url);
  }

  get watches(): number {
    return this.#watchers.size;
  }

  count(verb: 'list' | 'watch'): number {
    return this.requests.filter((url) => verbOf(url) === verb).length;
  }

  /** Makes or replaces a slice. */
  set(name: string, slice: FakeSlice): void {
    const { namespace = 'test', service = 'hello', addressType = 'IPv4', ports = [], endpoints } = slice;
    const version = ++this.#version;
    const object = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, resourceVersion: `${version}`, labels: { 'kubernetes.io/service-name': service } },
      addressType,
      ports: ports.map((port) => ({ protocol: 'TCP', ...port })),
      endpoints: endpoints.map(({ ip, zone, forZones, ready = true, serving = ready, terminating = false }) => ({
        addresses: [ip],
        conditions: { ready, serving, terminating },
        ...(zone === undefined ? {} : { zone }),
        ...(forZones === undefined ? {} : { hints: { forZones: forZones.map((of) => ({ name: of })) } }),
      })),
    };
    const stored = { namespace, service, object };
    this.#tell({ version, type: this.#slices.has(name) ? 'MODIFIED' : 'ADDED', stored });
    this.#slices.set(name, stored);
  }

  /** One slice with these pods, all of them ready. */
  publish(ips: readonly string[]): void {
    this.set('hello-1', { endpoints: ips.map((ip) => ({ ip })) });
  }

  delete(name: string): void {
    const stored = this.#slices.get(name);
    if (!stored) throw new RangeError(`no slice ${name}`);
    this.#slices.delete(name);
    this.#tell({ version: ++this.#version, type: 'DELETED', stored });
  }

  /** To the watches that allow it. */
  bookmark(): void {
    const object = { kind: 'EndpointSlice', metadata: { resourceVersion: `${++this.#version}` } };
    for (const { response, bookmarks } of this.#watchers)
      if (bookmarks) this.#send(response, { type: 'BOOKMARK', object });
  }

  /** From now on, versions seen so far are too old. `tell`: watches that run are told so, too. */
  expire({ tell = true } = {}): void {
    this.#oldest = ++this.#version;
    if (tell) for (const { response } of this.#watchers) this.#expired(response);
  }

  /** As at `timeoutSeconds`. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
  }

  breakWatches(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #tell(event: Event): void {
    this.#events.push(event);
    for (const { response, namespace, service } of this.#watchers)
      if (namespace === event.stored.namespace && service === event.stored.service)
        this.#send(response, { type: event.type, object: versioned(event) });
  }

  #send(response: ServerResponse, event: unknown): void {
    if (!this.hanging && !response.writableEnded) response.write(`${JSON.stringify(event)}\n`);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://api');
    this.requests.push(url);
    this.tokens.push(request.headers.authorization);
    if (this.hanging) return;
    const isWatch = verbOf(url) === 'watch';
    const [, , namespace] = PATH.exec(url.pathname) ?? [];
    const [label, service] = (url.searchParams.get('labelSelector') ?? '').split('=');
    const from = Number(url.searchParams.get('resourceVersion') ?? '');
    if (namespace === undefined || label !== 'kubernetes.io/service-name' || service === undefined)
      fail(response, 404, 'not found');
    else if (this.refuse && this.refuse.verb !== (isWatch ? 'list' : 'watch'))
      fail(response, this.refuse.status, `endpointslices is refused with ${this.refuse.status}`);
    else if (isWatch) {
      const bookmarks = url.searchParams.get('allowWatchBookmarks') === 'true';
      this.#watch({ namespace, service, bookmarks, response }, from);
    } else this.#list(response, namespace, service, from);
  }

  #list(response: ServerResponse, namespace: string, service: string, from: number): void {
    if (from > this.#version) {
      fail(response, 504, 'Too large resource version');
      return;
    }
    const items = this.#slicesOf(namespace, service).map(({ object }) => object);
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ kind: 'EndpointSliceList', metadata: { resourceVersion: `${this.#version}` }, items }),
    );
  }

  #watch(watcher: Watcher, from: number): void {
    const { response } = watcher;
    response.setHeader('content-type', 'application/json');
    response.flushHeaders();
    if (from > 0 && from < this.#oldest) {
      this.#expired(response);
      return;
    }
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    if (this.endsAtOnce) response.end();
    else this.#replay(watcher, from);
  }

  /** `from` 0, no version: the slices that are there. */
  #replay({ namespace, service, response }: Watcher, from: number): void {
    if (from === 0) {
      for (const { object } of this.#slicesOf(namespace, service)) this.#send(response, { type: 'ADDED', object });
      return;
    }
    for (const event of this.#events)
      if (event.version > from && event.stored.namespace === namespace && event.stored.service === service)
        this.#send(response, { type: event.type, object: versioned(event) });
  }

  #slicesOf(namespace: string, service: string): Stored[] {
    return [...this.#slices.values()].filter((stored) => stored.namespace === namespace && stored.service === service);
  }

  #expired(response: ServerResponse): void {
    this.#send(response, { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old resource version' } });
    response.end();
  }
}

function verbOf({ pathname, searchParams }: URL): 'list' | 'watch' {
  const [, older] = PATH.exec(pathname) ?? [];
  return older !== undefined || searchParams.get('watch') === 'true' ? 'watch' : 'list';
}

/** A deletion has a version of its own. */
function versioned({ version, stored: { object } }: Event): unknown {
  return { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } };
}

function fail(response: ServerResponse, code: number, message: string): void {
  response.statusCode = code;
  response.end(JSON.stringify({ kind: 'Status', status: 'Failure', message, code }));
}
