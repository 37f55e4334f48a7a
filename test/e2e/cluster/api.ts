/** A client of the Kubernetes API: JSON over HTTPS with a bearer token, and watches. */
import { Agent, type RequestOptions, request } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** What every object of the API has, as far as the tests read it. */
export interface KubernetesObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

export interface ApiAccess {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** PEM. */
  readonly ca: Buffer;
}

/** The API answered with a status of 400 or more. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, what: string, body: string) {
    super(`${what}: status ${status}: ${body}`);
    this.status = status;
  }
}

const TIMEOUT_MS = 20_000;
/** Between two attempts to watch. */
const RETRY_MS = 200;

export class Api {
  readonly #options: RequestOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor({ host, port, token, ca }: ApiAccess) {
    this.#options = { host, port, ca, headers: { authorization: `Bearer ${token}`, accept: 'application/json' } };
  }

  /** Resolves with the answer's JSON; rejects with an `ApiError`, or with the error of the connection. */
  async send<T = KubernetesObject>(method: string, path: string, body?: unknown): Promise<T> {
    const patch = path.endsWith('/status') ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';
    const { answer } = await this.#exchange(method, path, method === 'PATCH' ? patch : 'application/json', body);
    return answer as T;
  }

  /**
   * As `kubectl apply --server-side --validate=strict`: an unknown field is an error.
   *
   * @returns the warnings that `kubectl` would print.
   */
  async apply(path: string, object: unknown): Promise<readonly string[]> {
    const query = 'fieldManager=test&fieldValidation=Strict';
    // JSON is YAML.
    const { warnings } = await this.#exchange('PATCH', `${path}?${query}`, 'application/apply-patch+yaml', object);
    return warnings;
  }

  #exchange(method: string, path: string, type: string, body: unknown): Promise<Exchange> {
    return new Promise((resolve, reject) => {
      const headers = { ...this.#options.headers, ...(body === undefined ? {} : { 'content-type': type }) };
      const options = { ...this.#options, headers, method, path, agent: this.#agent, timeout: TIMEOUT_MS };
      const sent = request(options, async (response) => {
        try {
          const answer = await text(response);
          const status = response.statusCode ?? 0;
          if (status >= 400) reject(new ApiError(status, `${method} ${path}`, answer));
          else resolve({ answer: JSON.parse(answer), warnings: warningsIn(response.headers.warning) });
        } catch (error) {
          reject(error);
        }
      });
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer in ${TIMEOUT_MS} ms`)));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Whether the API has made its own first objects. */
  async isReady(): Promise<boolean> {
    await this.send('GET', '/api/v1/namespaces/default');
    return true;
  }

  /**
   * Lists and watches until the process ends, again and again where the API is away.
   *
   * @param onList all objects, at the start and whenever the watch has begun anew.
   */
  async watch<T extends KubernetesObject>(
    path: string,
    onList: (objects: readonly T[]) => void,
    onEvent: (event: WatchEvent<T>) => void,
  ): Promise<never> {
    for (;;) {
      try {
        const { items, metadata } = await this.send<List<T>>('GET', path);
        onList(items);
        await this.#follow(`${path}?watch=1&resourceVersion=${metadata.resourceVersion}`, onEvent);
      } catch {
        // The API is away: it is listed anew when it is back.
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Resolves when the connection ends. */
  #follow<T>(path: string, onEvent: (event: WatchEvent<T>) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      // A connection of its own: it stays busy.
      const sent = request({ ...this.#options, path, agent: false }, (response) => {
        const lines = createInterface({ input: response });
        lines.on('line', (line) => {
          const event = parseEvent<T>(line);
          if (event === null || event.type === 'ERROR') sent.destroy();
          else onEvent(event);
        });
        lines.on('error', reject);
        lines.on('close', resolve);
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end();
    });
  }
}

interface Exchange {
  readonly answer: unknown;
  readonly warnings: readonly string[];
}

/** @param header as `299 - "one", 299 - "two"`. */
function warningsIn(header = ''): string[] {
  return Array.from(header.matchAll(/299 \S+ "((?:\\.|[^"\\])*)"/g), ([, text]) => text as string);
}

/** Null for a line that the end of the connection has cut short. */
function parseEvent<T>(line: string): WatchEvent<T> | null {
  try {
    return JSON.parse(line) as WatchEvent<T>;
  } catch {
    return null;
  }
}
