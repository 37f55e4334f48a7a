/** One GET to the API server, whose body is read as it comes. Sockets never keep the process alive. */
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { type RequestOptions, request as requestTls } from 'node:https';
import type { Clock } from '../runtime.js';
import type { Deadline } from './deadline.js';
import type { KubeConfigLike } from './kube-config.js';
import { RequestFailure } from './request-failure.js';
import { retryAfterMs } from './retry-after.js';

/** After so long without an octet the kernel asks whether the connection is still there: 10 times, a second apart. */
const KEEPALIVE_MS = 10_000;
/** Of a body that tells why a request was refused. */
const MOST_ERROR_OCTETS = 65_536;

const NO_CREDENTIALS = 'the kubeConfig gave no credentials in time; its plugin for them (exec or OIDC) may hang';

/**
 * Resolves with the response of a request that was accepted.
 *
 * @param path with its query.
 * @param deadline covers the credentials, too: an exec or OIDC plugin that hangs never settles, and knows no signal.
 * @throws {RequestFailure} of every other response, and where there is none.
 */
export async function getFromApi(
  config: KubeConfigLike,
  path: string,
  deadline: Deadline,
  clock: Pick<Clock, 'wallTime'>,
): Promise<IncomingMessage> {
  const { signal } = deadline;
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new RequestFailure('the kubeConfig has no current cluster');
  const url = new URL(`${cluster.server.replace(/\/+$/, '')}${path}`);
  const options: RequestOptions = { method: 'GET', headers: { accept: 'application/json' }, signal };
  await deadline.race(config.applyToHTTPSOptions(options), NO_CREDENTIALS);
  signal.throwIfAborted();
  const response = await send(url, options);
  const status = response.statusCode ?? 0;
  if (status === 200) return response;
  throw new RequestFailure(`${status} ${await reasonOf(response)}`, {
    status,
    retryAfterMs: retryAfterMs(response.headers, clock.wallTime()),
  });
}

function send(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'http:' ? requestPlain : requestTls)(url, options, resolve);
    request.on('socket', (socket) => {
      socket.unref();
      socket.setKeepAlive(true, KEEPALIVE_MS);
    });
    request.on('error', (cause: Error) => reject(new RequestFailure(cause.message || String(cause), { cause })));
    request.end();
  });
}

/** The message of the `Status` object that the API server sends, or whatever it sends. */
async function reasonOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    response.setEncoding('utf8');
    for await (const chunk of response) {
      text += chunk;
      if (text.length > MOST_ERROR_OCTETS) break;
    }
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // What has come so far tells more than that the rest did not come.
  }
  return text.trim().split('\n', 1)[0]?.slice(0, 200) || (response.statusMessage ?? '');
}
