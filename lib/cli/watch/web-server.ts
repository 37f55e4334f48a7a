/**
 * Serves the page, and its data as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): the
 * whole view first, then what changes.
 *
 * It listens on loopback alone. A page of another site could still reach it through the browser: by a name that it makes
 * resolve to 127.0.0.1 (DNS rebinding), so the Host header must name loopback; or by a request from its own origin, which
 * the browser lets it send and not read, because no CORS header allows that.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv4 } from 'node:net';
import type { Clock, Timer } from '../../runtime.js';
import type { PageAssets } from './page-assets.js';
import type { Watcher } from './watcher.js';

const HOST = '127.0.0.1';

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The browser connects again after so long when the server is gone. */
const RETRY_MS = 1_000;
/** A comment now and then, so that whatever is in between does not take the stream for dead. */
const HEARTBEAT_MS = 15_000;
/** Far more tabs than a person opens. */
const MOST_STREAMS = 32;

interface Stream {
  readonly response: ServerResponse;
  /** Of the last view that it was sent. */
  revision: number;
  /** The browser takes nothing more for now; it gets the difference when it does. */
  full: boolean;
}

export class WebServer {
  readonly #server: Server;
  readonly #watcher: Watcher;
  readonly #assets: PageAssets;
  readonly #clock: Clock;
  readonly #streams = new Set<Stream>();
  readonly #stopListening: () => void;
  #heartbeat: Timer;

  /**
   * @param port 0 takes any free one.
   * @throws the system's error: EADDRINUSE, EACCES.
   */
  static async start(watcher: Watcher, assets: PageAssets, port: number, clock: Clock): Promise<WebServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new WebServer(server, watcher, assets, clock);
  }

  private constructor(server: Server, watcher: Watcher, assets: PageAssets, clock: Clock) {
    this.#server = server;
    this.#watcher = watcher;
    this.#assets = assets;
    this.#clock = clock;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
    this.#stopListening = watcher.onChange(() => this.#sendAll());
    this.#heartbeat = this.#beat();
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#heartbeat.cancel();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // Not 404: whoever gets here by another name should see why.
    if (!isLoopback(request.headers.host)) refuse(response, 403, 'This page answers to localhost and 127.0.0.1 only.');
    else if (request.method !== 'GET' && request.method !== 'HEAD')
      refuse(response, 405, 'Only GET and HEAD are served.');
    else if (pathOf(request) === '/events') this.#open(request, response);
    else this.#sendAsset(request, response);
  }

  #sendAsset(request: IncomingMessage, response: ServerResponse): void {
    const asset = this.#assets.get(pathOf(request));
    if (!asset) {
      refuse(response, 404, 'There is no such page.');
      return;
    }
    response.writeHead(200, { ...HEADERS, 'content-type': asset.type, 'content-length': asset.body.length });
    response.end(request.method === 'HEAD' ? undefined : asset.body);
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    if (this.#streams.size >= MOST_STREAMS) {
      refuse(response, 503, 'Too many pages are open.');
      return;
    }
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.write(`retry: ${RETRY_MS}\n\n`);
    const stream: Stream = { response, revision: 0, full: false };
    this.#streams.add(stream);
    response.on('close', () => this.#streams.delete(stream));
    response.on('drain', () => {
      stream.full = false;
      this.#send(stream);
    });
    this.#send(stream);
  }

  #sendAll(): void {
    for (const stream of this.#streams) this.#send(stream);
  }

  #send(stream: Stream): void {
    const { history } = this.#watcher;
    if (stream.full || stream.revision === history.revision) return;
    const view = history.since(stream.revision, this.#clock.wallTime());
    const event = stream.revision === 0 ? 'view' : 'change';
    stream.revision = history.revision;
    stream.full = !stream.response.write(`event: ${event}\ndata: ${JSON.stringify(view)}\n\n`);
  }

  #beat(): Timer {
    return this.#clock.setTimer(HEARTBEAT_MS, () => {
      for (const { response, full } of this.#streams) if (!full) response.write(': still here\n\n');
      this.#heartbeat = this.#beat();
    });
  }
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, {
    ...HEADERS,
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    'content-type': 'text/plain; charset=utf-8',
  });
  response.end(`${sentence}\n`);
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] as string;
}

/** Any port: one may be forwarded here. */
function isLoopback(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d{1,5}$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
}
