/**
 * An HTTP/JSON gateway in front of gRPC services: a Fastify server that answers the requests that the `google.api.http`
 * annotations name. What it does with a request is what grpc-gateway v2 does by default; the README lists the differences.
 */

import { Readable } from 'node:stream';
import {
  createFileRegistry,
  createRegistry,
  fromBinary,
  type JsonValue,
  type Message,
  type Registry,
} from '@bufbuild/protobuf';
import {
  FileDescriptorSetSchema,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import { type Client, type Metadata, status } from '@grpc/grpc-js';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { callServerStream, callUnary } from './call.js';
import { timeoutMs } from './deadline.js';
import { type Binding, bindingsIn } from './http-rule.js';
import { fieldJson, messageJson } from './message-json.js';
import { HEADER_PREFIX, headersOf, metadataOf, TRAILER_PREFIX } from './metadata-headers.js';
import { parseQuery, queryOf } from './query.js';
import { bindRequest } from './request-binding.js';
import { type Route, Router } from './router.js';
import { StatusError, statusBody } from './status.js';

export interface GatewayOptions {
  /** Makes the calls; the gateway does not close it. */
  readonly client: Client;
  /** The compiled .proto files: a FileDescriptorSet with all imports. */
  readonly descriptors: Uint8Array;
  /**
   * Whether clients may set any metadata with `Grpc-Metadata-` headers. Default: false. Switch it on only where pods trust no
   * metadata that a proxy sets.
   */
  readonly metadataHeaders?: boolean;
  /** Bytes of a request's body. Default: 4 MiB, the limit of gRPC servers. */
  readonly bodyLimit?: number;
}

/** Answered as well where no annotation names them. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** @returns a server that does not listen yet. @throws {Error} for annotations that cannot be mapped. */
export function createGateway(options: GatewayOptions): FastifyInstance {
  const { bodyLimit = 4 * 1024 * 1024 } = options;
  const gateway = new Gateway(options);
  const app = fastify({
    bodyLimit,
    exposeHeadRoutes: false,
    // Of a URL that Fastify cannot read.
    frameworkErrors: (error, request, reply) => gateway.fail(asStatus(error), request, reply),
  });
  app.removeAllContentTypeParsers();
  // Bodies are JSON whatever their type says, as in grpc-gateway.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  for (const method of gateway.methods)
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true });
  app.setErrorHandler((error, request, reply) => gateway.fail(asStatus(error as Error), request, reply));
  const handle = (request: FastifyRequest, reply: FastifyReply) => gateway.handle(request, reply);
  app.setNotFoundHandler(handle);
  app.route({ method: [...new Set([...METHODS, ...gateway.methods])], url: '*', handler: handle });
  return app;
}

/** @returns its URL. */
export async function listen(
  app: FastifyInstance,
  at: { readonly host: string; readonly port: number },
): Promise<string> {
  return app.listen({ ...at });
}

/** What Fastify reports has an HTTP status of its own. */
function asStatus(error: Error | FastifyError): StatusError {
  if (error instanceof StatusError) return error;
  const { statusCode = 500 } = error as FastifyError;
  const code =
    statusCode === 413 ? status.RESOURCE_EXHAUSTED : statusCode < 500 ? status.INVALID_ARGUMENT : status.INTERNAL;
  return new StatusError(code, error.message, { cause: error, httpStatus: statusCode });
}

class Gateway {
  readonly #client: Client;
  readonly #registry: Registry;
  readonly #router: Router;
  readonly #metadataHeaders: boolean;

  constructor({ client, descriptors, metadataHeaders = false }: GatewayOptions) {
    const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
    this.#client = client;
    // An Any may hold a well-known type that no file imports.
    this.#registry = createRegistry(
      file_google_protobuf_duration,
      file_google_protobuf_empty,
      file_google_protobuf_field_mask,
      file_google_protobuf_struct,
      file_google_protobuf_timestamp,
      file_google_protobuf_wrappers,
      files,
    );
    this.#router = new Router(bindingsIn(files));
    this.#metadataHeaders = metadataHeaders;
  }

  get methods(): string[] {
    return this.#router.methods;
  }

  async handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { target, method, body, isForm } = partsOf(request);
    const route = this.#router.find(method, target, isForm);
    const timeout = timeoutMs(request.raw.headersDistinct['grpc-timeout']?.[0]);
    const metadata = metadataOf(request.raw, { metadataHeaders: this.#metadataHeaders });
    const query = () => parseQuery(...(isForm ? [body] : []), queryOf(target));
    const message = bindRequest(route, { query, body }, this.#registry);
    const parts = { metadata, timeoutMs: timeout, signal: signalOf(reply) };
    return route.binding.rpc.methodKind === 'server_streaming'
      ? this.#stream(route, message, parts, reply)
      : this.#unary(route, message, parts, request, reply);
  }

  fail(error: StatusError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    // A client can do no more with the text than with the header of its server.
    if (error.code === status.UNAUTHENTICATED) reply.header('www-authenticate', headerText(error.message));
    addHeaders(reply, error.header);
    addTrailers(request, reply, error.trailer);
    return send(reply.code(error.httpStatus), statusBody(error, this.#registry));
  }

  async #unary(
    { binding }: Route,
    message: Message,
    parts: Parameters<typeof callUnary>[3],
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const answer = await callUnary(this.#client, binding.rpc, message, parts);
    const json = this.#json(binding, answer.message);
    addHeaders(reply, answer.header);
    addTrailers(request, reply, answer.trailer);
    return send(reply, json);
  }

  /** A line for each message, `{"result": ...}`; `{"error": ...}` at the end where that is not OK. */
  async #stream(
    { binding }: Route,
    message: Message,
    parts: Parameters<typeof callServerStream>[3],
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const line = (result: Message): string => `${JSON.stringify({ result: this.#json(binding, result) })}\n`;
    try {
      const { first, answer } = await callServerStream(this.#client, binding.rpc, message, parts);
      addHeaders(reply, answer.header);
      if (first.done) return reply.send();
      return reply.type(JSON_TYPE).send(Readable.from(this.#lines(line, first.value, answer.messages)));
    } catch (error) {
      const failure = asStatus(error as Error);
      addHeaders(reply, failure.header);
      return sendText(reply.code(failure.httpStatus), this.#errorLine(failure));
    }
  }

  async *#lines(line: (message: Message) => string, first: Message, rest: AsyncGenerator<Message, void>) {
    try {
      yield line(first);
      for await (const message of rest) yield line(message);
    } catch (error) {
      yield this.#errorLine(asStatus(error as Error));
    } finally {
      await rest.return();
    }
  }

  #errorLine(error: StatusError): string {
    return `${JSON.stringify({ error: statusBody(error, this.#registry) })}\n`;
  }

  #json({ rpc, responseBody }: Binding, message: Message): JsonValue {
    return responseBody === null
      ? messageJson(rpc.output, message, this.#registry)
      : fieldJson(rpc.output, message, responseBody, this.#registry);
  }
}

/** What the request is, after `X-HTTP-Method-Override`, which counts for forms alone. */
function partsOf({ raw, body: received }: FastifyRequest) {
  const { url: target = '/', method = 'GET', headers } = raw;
  const body = typeof received === 'string' ? received : '';
  const isForm = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() === FORM_TYPE;
  const override = headers['x-http-method-override'];
  if (method === 'POST' && isForm && typeof override === 'string' && override !== '')
    return { target, method: override.toUpperCase(), body, isForm };
  return { target, method, body, isForm };
}

/** Aborts when the client goes before its answer is complete. */
function signalOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

function addHeaders(reply: FastifyReply, metadata: Metadata | null): void {
  for (const [name, values] of headersOf(metadata, HEADER_PREFIX)) reply.header(name, values);
}

/** Only for a client that says that it reads trailers (RFC 9110 section 6.5.1). */
function addTrailers({ headers }: FastifyRequest, reply: FastifyReply, metadata: Metadata | null): void {
  if (!`${headers.te}`.toLowerCase().includes('trailers')) return;
  for (const [name, values] of headersOf(metadata, TRAILER_PREFIX)) reply.trailer(name, async () => values.join(', '));
}

function send(reply: FastifyReply, json: JsonValue): FastifyReply {
  return sendText(reply, JSON.stringify(json));
}

/** As bytes: to a text Fastify adds a charset, which JSON does not have (RFC 8259). */
function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type(JSON_TYPE).send(Buffer.from(text));
}

/** In UTF-8, without what no header may hold. */
function headerText(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}
