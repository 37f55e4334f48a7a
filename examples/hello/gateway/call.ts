/** Calls of any method of a service, with messages of compiled .proto files. */
import { type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { CallOptions, Client, ClientReadableStream, Metadata, ServiceError } from '@grpc/grpc-js';
import { statusOfCall } from './status.js';

export interface CallParts {
  readonly metadata: Metadata;
  readonly timeoutMs: number | null;
  /** Cancels the call when it aborts. */
  readonly signal: AbortSignal;
}

export interface UnaryAnswer {
  readonly message: Message;
  readonly header: Metadata | null;
  readonly trailer: Metadata | null;
}

export interface StreamedAnswer {
  readonly header: Metadata | null;
  /** Rejects with a StatusError. */
  readonly messages: AsyncGenerator<Message, void>;
}

/** Rejects with a StatusError. */
export function callUnary(client: Client, rpc: DescMethod, request: Message, parts: CallParts): Promise<UnaryAnswer> {
  return new Promise((resolve, reject) => {
    let header: Metadata | null = null;
    let trailer: Metadata | null = null;
    let answer: Message | undefined;
    const call = client.makeUnaryRequest(
      pathOf(rpc),
      serializer(rpc),
      deserializer(rpc),
      request,
      parts.metadata,
      optionsOf(parts),
      (error, message) => {
        forget();
        if (error) reject(statusOfCall(error, header));
        else answer = message;
      },
    );
    const forget = cancelWith(parts.signal, call);
    call.on('metadata', (metadata: Metadata) => {
      header = metadata;
    });
    // It comes after the callback.
    call.on('status', ({ metadata }) => {
      trailer = metadata;
      if (answer !== undefined) resolve({ message: answer, header, trailer });
    });
  });
}

/** Resolves with the first message or with the end; rejects with a StatusError where that is not OK. */
export async function callServerStream(
  client: Client,
  rpc: DescMethod,
  request: Message,
  parts: CallParts,
): Promise<{ readonly first: IteratorResult<Message, void>; readonly answer: StreamedAnswer }> {
  const call = client.makeServerStreamRequest(
    pathOf(rpc),
    serializer(rpc),
    deserializer(rpc),
    request,
    parts.metadata,
    optionsOf(parts),
  );
  let header: Metadata | null = null;
  call.on('metadata', (metadata) => {
    header = metadata;
  });
  const messages = messagesOf(call, parts.signal, () => header);
  const first = await messages.next();
  return { first, answer: { header, messages } };
}

async function* messagesOf(
  call: ClientReadableStream<Message>,
  signal: AbortSignal,
  header: () => Metadata | null,
): AsyncGenerator<Message, void> {
  const forget = cancelWith(signal, call);
  try {
    yield* call;
  } catch (error) {
    throw statusOfCall(error as ServiceError, header());
  } finally {
    forget();
    call.cancel(); // For whoever stops reading before the end.
  }
}

function pathOf(rpc: DescMethod): string {
  return `/${rpc.parent.typeName}/${rpc.name}`;
}

function serializer(rpc: DescMethod): (message: Message) => Buffer {
  return (message) => Buffer.from(toBinary(rpc.input, message));
}

function deserializer(rpc: DescMethod): (bytes: Buffer) => Message {
  return (bytes) => fromBinary(rpc.output, bytes);
}

function optionsOf({ timeoutMs }: CallParts): CallOptions {
  return timeoutMs === null ? {} : { deadline: Date.now() + timeoutMs };
}

function cancelWith(signal: AbortSignal, call: { cancel(): void }): () => void {
  const cancel = (): void => call.cancel();
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}
