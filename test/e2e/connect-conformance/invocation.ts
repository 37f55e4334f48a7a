/** Makes the call that the suite asks for, as a user of Connect-ES would, and says what came of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { create, type DescMethod, type Message } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { type CallOptions, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import {
  type ClientRequest,
  type ClientResult,
  FULL_DUPLEX,
  type Header,
  type SuiteMessages,
} from './suite-messages.js';
import { Turns } from './turns.js';

/** A method of a client that Connect makes without generated code. */
type UnaryMethod = (request: Message, options: CallOptions) => Promise<Message>;
type ServerStreamMethod = (request: Message, options: CallOptions) => AsyncIterable<Message>;
type ClientStreamMethod = (requests: AsyncIterable<Message>, options: CallOptions) => Promise<Message>;
type BidiMethod = (requests: AsyncIterable<Message>, options: CallOptions) => AsyncIterable<Message>;

export class Invocation {
  readonly #request: ClientRequest;
  readonly #method: DescMethod;
  readonly #implementation: unknown;
  readonly #messages: readonly Message[];
  readonly #controller = new AbortController();
  readonly #turns: Turns | null;
  readonly #payloads: Message[] = [];
  readonly #emptyPayload: Message;
  #headers: Headers | null = null;
  #trailers: Headers | null = null;
  #sent = 0;

  /** @throws where the request asks for what the suite has not. */
  constructor(transport: Transport, request: ClientRequest, suite: SuiteMessages) {
    const service = suite.service(request.service);
    const method = service.methods.find(({ name }) => name === request.method);
    if (method === undefined) throw new Error(`the service ${service.typeName} has no method ${request.method}`);
    this.#request = request;
    this.#method = method;
    this.#implementation = createClient(service, transport)[method.localName];
    this.#emptyPayload = create(suite.message('ConformancePayload'));
    this.#turns = request.streamType === FULL_DUPLEX ? new Turns() : null;
    this.#messages = request.requestMessages.map((any) => {
      const message = anyUnpack(any, suite.registry);
      if (message === undefined) throw new Error(`a request has the unknown type ${any.typeUrl}`);
      return message;
    });
  }

  async run(): Promise<ClientResult> {
    let error: ConnectError | null = null;
    try {
      await this.#call();
    } catch (reason) {
      error = ConnectError.from(reason);
    } finally {
      this.#turns?.end();
    }
    const sendsMany = this.#method.methodKind === 'client_streaming' || this.#method.methodKind === 'bidi_streaming';
    return {
      responseHeaders: toList(this.#headers ?? error?.metadata),
      responseTrailers: toList(this.#trailers ?? error?.metadata),
      payloads: this.#payloads,
      numUnsentRequests: error && sendsMany ? this.#messages.length - this.#sent : 0,
      ...(error ? { error: { code: error.code, message: error.rawMessage, details: detailsOf(error) } } : {}),
    };
  }

  async #call(): Promise<void> {
    const options = this.#options();
    switch (this.#method.methodKind) {
      case 'unary': {
        const message = await this.#onlyRequest();
        const answer = (this.#implementation as UnaryMethod)(message, options);
        this.#cancelAfterSending();
        return this.#addPayload(await answer);
      }
      case 'server_streaming': {
        const answers = (this.#implementation as ServerStreamMethod)(await this.#onlyRequest(), options);
        this.#cancelAfterSending();
        return this.#readAll(answers);
      }
      case 'client_streaming':
        return this.#addPayload(await (this.#implementation as ClientStreamMethod)(this.#requests(), options));
      case 'bidi_streaming':
        return this.#readAll((this.#implementation as BidiMethod)(this.#requests(), options));
    }
  }

  async #onlyRequest(): Promise<Message> {
    const [message] = this.#messages;
    if (message === undefined || this.#messages.length > 1) throw new Error('this method has one request');
    await sleep(this.#request.requestDelayMs);
    return message;
  }

  async #readAll(answers: AsyncIterable<Message>): Promise<void> {
    for await (const answer of answers) {
      this.#addPayload(answer);
      const timing = this.#request.cancel?.cancelTiming;
      if (timing?.case === 'afterNumResponses' && this.#payloads.length === timing.value) this.#controller.abort();
      this.#turns?.next();
    }
  }

  /** In a full-duplex call each request waits for the answer to the one before. */
  async *#requests(): AsyncGenerator<Message, void> {
    for (const message of this.#messages) {
      await sleep(this.#request.requestDelayMs);
      this.#sent += 1;
      yield message;
      await this.#turns?.wait();
    }
    if (this.#request.cancel?.cancelTiming.case === 'beforeCloseSend') {
      this.#controller.abort();
      // The call ends before this returns, so that the requests never do.
      await sleep(1_000);
    }
    this.#cancelAfterSending();
  }

  #cancelAfterSending(): void {
    const { cancel } = this.#request;
    if (cancel === undefined) return;
    const { cancelTiming } = cancel;
    if (cancelTiming.case === undefined || cancelTiming.case === 'afterCloseSendMs')
      setTimeout(() => this.#controller.abort(), cancelTiming.value ?? 0);
  }

  #options(): CallOptions {
    const headers = new Headers();
    for (const { name, value } of this.#request.requestHeaders) for (const one of value) headers.append(name, one);
    const { timeoutMs } = this.#request;
    return {
      headers,
      signal: this.#controller.signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      onHeader: (received) => {
        this.#headers = received;
      },
      onTrailer: (received) => {
        this.#trailers = received;
      },
    };
  }

  #addPayload(answer: Message): void {
    const { payload } = answer as { payload?: Message };
    this.#payloads.push(payload ?? this.#emptyPayload);
  }
}

function detailsOf(error: ConnectError): object[] {
  return error.details.map((detail) => {
    if ('desc' in detail) throw new Error('details from a server are octets');
    return { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value };
  });
}

function toList(headers: Headers | undefined): Header[] {
  return Array.from(headers ?? [], ([name, value]) => ({ name, value: [value] }));
}
