/** HTTP requests as a client of a gateway makes them, and the parts of an answer that two gateways are compared by. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface HttpRequest {
  /** Default GET. */
  readonly method?: string;
  /** Sent as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  /**
   * `grpc-metadata-*`, `www-authenticate`; names in lower case, many values as one. Without what gRPC itself sends about compression: grpc-js hands
   * it to nobody.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** `grpc-trailer-*`. */
  readonly trailers: Readonly<Record<string, string>>;
  /** JSON where it is JSON, a list where it is lines of JSON, or else text. */
  readonly body: unknown;
}

/** @param address `"ip:port"`. */
export async function ask(
  address: string,
  { method = 'GET', path, headers = {}, body }: HttpRequest,
): Promise<HttpAnswer> {
  const [host, port] = address.split(':');
  const outgoing = request({ host, port, method, path, agent: false, headers: { host: 'gateway.test', ...headers } });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const received = await text(response);
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'],
    headers: chosen(response.headersDistinct, /^(grpc-metadata-(?!grpc-accept-encoding$)|www-authenticate$)/),
    trailers: chosen(response.trailersDistinct, /^grpc-trailer-/),
    body: parse(received),
  };
}

function chosen(headers: NodeJS.Dict<string[]>, names: RegExp): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => names.test(name))
      .map(([name, values = []]) => [name, name === 'grpc-metadata-date' ? 'a date' : values.join(', ')] as const)
      .sort(([one], [other]) => one.localeCompare(other)),
  );
}

function parse(body: string): unknown {
  try {
    return body.endsWith('}\n')
      ? body
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line))
      : JSON.parse(body);
  } catch {
    return body;
  }
}
