/**
 * One call of grpc-js with messages as octets. One is sent at a time, and few are read ahead, so that neither side is sent
 * more than it takes.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import {
  type ChannelInterface,
  type InterceptingListener,
  type Metadata,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { HeadlessError } from '../errors.js';
import { toConnectError } from './call-error.js';
import type { CallDeadline } from './deadline.js';
import { addToHeaders } from './metadata.js';

type Call = ReturnType<ChannelInterface['createCall']>;

/** gRPC's GRPC_WRITE_NO_COMPRESS. */
const NO_COMPRESS = 2;
/**
 * Messages read before they are asked for, as in grpc-js's own streams. Those that grpc-js still has when a call fails, it
 * throws away.
 */
const READ_AHEAD = 16;

export interface GrpcCallOptions {
  readonly channel: ChannelInterface;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Metadata;
  readonly deadline: CallDeadline;
  /** Cancels the call. */
  readonly signal: AbortSignal;
  /** Smaller messages are sent as they are. */
  readonly compressMinBytes: number;
}

export class GrpcCall implements InterceptingListener {
  /** Complete once `headers()` has resolved. */
  readonly header: Headers = new Headers();
  /** Complete once the call has ended. */
  readonly trailer: Headers = new Headers();
  readonly #call: Call;
  readonly #options: GrpcCallOptions;
  /** Received and not taken. */
  readonly #messages: Buffer[] = [];
  /** What waits for the header, for a message, and until a message is on its way: at most one each. */
  readonly #waiting: Record<'header' | 'message' | 'written', (() => void) | null> = {
    header: null,
    message: null,
    written: null,
  };
  #hasHeader = false;
  #hasEnded = false;
  /** Why the call failed; null where it did not. */
  #error: ConnectError | null = null;
  /** What went wrong on this side: it counts more than the status that came of it. */
  #localError: ConnectError | null = null;

  /**
   * Starts the call.
   *
   * @throws {ConnectError} `canceled` where the channel is closed, or the signal is aborted already.
   */
  constructor(options: GrpcCallOptions) {
    const { channel, path, metadata, deadline, signal } = options;
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    this.#options = options;
    this.#call = createCall(channel, path, deadline.at);
    deadline.onCallStarted();
    signal.addEventListener('abort', this.#onAbort);
    this.#call.start(metadata, this);
    this.#call.startRead();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when the header came, or the call ended without one and without an error; rejects with the error. */
  async headers(): Promise<void> {
    if (!this.#hasHeader && !this.#hasEnded) await this.#wait('header');
    if (!this.#hasHeader) this.#throwError();
  }

  /** Resolves when the message is on its way, or the call has ended. */
  write(message: Uint8Array): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    const octets = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const flags = octets.length < this.#options.compressMinBytes ? NO_COMPRESS : 0;
    const written = this.#wait('written');
    this.#call.sendMessageWithContext({ flags, callback: () => this.#wake('written') }, octets);
    return written;
  }

  /** No message follows. */
  endWriting(): void {
    if (!this.#hasEnded) this.#call.halfClose();
  }

  /** The next message; null where the call ended well. Rejects with the error of a call that failed. */
  async read(): Promise<Buffer | null> {
    while (this.#messages.length === 0 && !this.#hasEnded) await this.#wait('message');
    const message = this.#messages.shift();
    if (message === undefined) {
      this.#throwError();
      return null;
    }
    if (this.#messages.length === READ_AHEAD - 1 && !this.#hasEnded) this.#call.startRead();
    return message;
  }

  /** Ends the call, which fails with this error. */
  fail(error: ConnectError): void {
    if (this.#hasEnded) return;
    this.#localError = error;
    this.#call.cancelWithStatus(status.CANCELLED, error.rawMessage);
  }

  onReceiveMetadata(metadata: Metadata): void {
    addToHeaders(metadata, this.header);
    this.#hasHeader = true;
    this.#wake('header');
  }

  onReceiveMessage(message: Buffer): void {
    this.#messages.push(message);
    if (this.#messages.length < READ_AHEAD) this.#call.startRead();
    this.#wake('message');
  }

  onReceiveStatus(received: StatusObject): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    addToHeaders(received.metadata, this.trailer);
    const { signal, deadline } = this.#options;
    this.#error =
      this.#localError ?? toConnectError(atDeadline(received, deadline), this.#hasHeader ? this.header : null);
    signal.removeEventListener('abort', this.#onAbort);
    deadline.onCallEnded(this.#error);
    this.#wake('header');
    this.#wake('message');
    this.#wake('written');
  }

  #wait(event: 'header' | 'message' | 'written'): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting[event] = resolve;
    });
  }

  #wake(event: 'header' | 'message' | 'written'): void {
    const waiting = this.#waiting[event];
    this.#waiting[event] = null;
    waiting?.();
  }

  #throwError(): void {
    if (this.#error) throw this.#error;
  }

  readonly #onAbort = (): void => this.fail(ConnectError.from(this.#options.signal.reason, Code.Canceled));
}

/** A server may cancel the call at its deadline before the timer of this side has fired. */
function atDeadline(received: StatusObject, { hasPassed }: CallDeadline): StatusObject {
  if (received.code !== status.CANCELLED || !hasPassed) return received;
  return { ...received, code: status.DEADLINE_EXCEEDED, details: 'the server ended the call at its deadline' };
}

function createCall(channel: ChannelInterface, path: string, deadline: number): Call {
  try {
    return channel.createCall(path, deadline, null, null, null);
  } catch (error) {
    // grpc-js throws where the channel is closed.
    throw closedError(channel, error);
  }
}

function closedError(channel: ChannelInterface, reason: unknown): ConnectError {
  const message = `the channel to ${channel.getTarget()} is closed`;
  const cause = new HeadlessError('ERR_HEADLESS_CLOSED', message, { cause: reason });
  return new ConnectError(message, Code.Canceled, undefined, undefined, cause);
}
