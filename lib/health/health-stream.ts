/**
 * One call of `grpc.health.v1.Health/Watch` on an endpoint's own connection. It starts on the subchannel itself, below all
 * that a channel does for its calls: no retry, no interceptor, no count of calls in flight.
 */
import { type Metadata, status } from '@grpc/grpc-js';
import type { Subchannel } from '../grpc/experimental.js';
import { decodeResponse, encodeRequest, type ServingStatus } from './health-messages.js';
import type { MonitoredEndpoint } from './health-monitor.js';

const METHOD = '/grpc.health.v1.Health/Watch';

export interface HealthStreamListener {
  onStatus(status: ServingStatus): void;
  /** Called once; not called if the stream was closed from this side. */
  onEnd(code: status, details: string): void;
}

/** Starts a stream on a connected endpoint. The function that it returns closes it; idempotent. */
export type OpenHealthStream = (
  endpoint: Pick<MonitoredEndpoint, 'subchannel' | 'authority'>,
  service: string,
  listener: HealthStreamListener,
) => () => void;

type RealSubchannel = ReturnType<Subchannel['getRealSubchannel']>;
type Call = ReturnType<RealSubchannel['createCall']>;

export const openHealthStream: OpenHealthStream = (endpoint, service, listener) => {
  const stream = new HealthStream(listener);
  void stream.start(endpoint, service);
  return () => stream.close();
};

class HealthStream {
  readonly #listener: HealthStreamListener;
  #call: Call | null = null;
  #ended = false;

  constructor(listener: HealthStreamListener) {
    this.#listener = listener;
  }

  /** Never rejects. */
  async start({ subchannel, authority }: Parameters<OpenHealthStream>[0], service: string): Promise<void> {
    let metadata: Metadata;
    try {
      metadata = await callMetadata(subchannel, authority);
    } catch (error) {
      this.#end(status.UNAUTHENTICATED, `no metadata for the health check: ${(error as Error).message}`);
      return;
    }
    if (this.#ended) return;
    try {
      this.#call = this.#startCall(subchannel.getRealSubchannel(), metadata, authority, service);
    } catch (error) {
      // The connection was lost in the meantime.
      this.#end(status.UNAVAILABLE, (error as Error).message);
    }
  }

  close(): void {
    this.#ended = true;
    this.#call?.cancelWithStatus(status.CANCELLED, 'the health check was stopped');
  }

  #startCall(subchannel: RealSubchannel, metadata: Metadata, authority: string, service: string): Call {
    const call = subchannel.createCall(metadata, authority, METHOD, {
      onReceiveMetadata: () => {},
      onReceiveMessage: (message: Buffer) => this.#onMessage(call, message),
      onReceiveStatus: ({ code, details }) => this.#end(code, details),
    });
    letProcessEnd(subchannel, call);
    call.sendMessageWithContext({}, encodeRequest(service));
    call.halfClose();
    call.startRead();
    return call;
  }

  #onMessage(call: Call, message: Buffer): void {
    if (this.#ended) return;
    const answer = decodeResponse(message);
    if (answer === null) {
      this.#end(status.INTERNAL, 'the answer is no HealthCheckResponse');
      call.cancelWithStatus(status.CANCELLED, 'the answer is no HealthCheckResponse');
      return;
    }
    call.startRead();
    this.#listener.onStatus(answer);
  }

  #end(code: status, details: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.onEnd(code, details);
  }
}

/** With the call credentials that belong to the channel's credentials, as any call has them. */
async function callMetadata(subchannel: Subchannel, authority: string): Promise<Metadata> {
  const hostname = authority.replace(/:\d+$/, '');
  const [, service] = METHOD.split('/');
  return subchannel
    .getCallCredentials()
    .generateMetadata({ method_name: METHOD, service_url: `https://${hostname}/${service}` });
}

/**
 * grpc-js keeps the process alive while a connection has a call. This one never ends, and must not: a client that is
 * at rest, and is not closed, lets its process end. There is no public way to say so.
 */
function letProcessEnd(subchannel: RealSubchannel, call: Call): void {
  const { transport } = subchannel as unknown as { transport?: { removeActiveCall?(call: Call): void } };
  transport?.removeActiveCall?.(call);
}
