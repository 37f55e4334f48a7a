/** Calls as promises of all that is known when they have ended. They have a deadline, so that no test hangs. */
import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import type { Callback } from './test-service.js';

const DEADLINE_MS = 20_000;

export interface Outcome<Response> {
  readonly code: status;
  readonly details: string;
  readonly initialMetadata: Metadata;
  readonly trailingMetadata: Metadata;
  readonly responses: readonly Response[];
  /** `"ip:port"` of the server. */
  readonly peer: string;
}

type Events = Pick<ClientUnaryCall, 'on' | 'getPeer'>;

export interface CallSettings extends CallOptions {
  metadata?: Metadata;
}

/** The metadata and the options to begin a call with. */
export function beginning({ metadata = new Metadata(), ...options }: CallSettings = {}): [Metadata, CallOptions] {
  return [metadata, { deadline: Date.now() + DEADLINE_MS, ...options }];
}

/**
 * A call with one response.
 *
 * @param begin begins the call, and gives it the callback.
 */
export async function single<Response>(begin: (callback: Callback<Response>) => Events): Promise<Outcome<Response>> {
  const responses: Response[] = [];
  const call = begin((error, response) => {
    // The error has what the status has.
    if (!error && response) responses.push(response);
  });
  return ended(call, responses);
}

/** A call with a stream of responses; `onResponse` gets each of them, before the next one. */
export async function streamed<Response>(
  call: ClientReadableStream<Response>,
  onResponse: (response: Response) => void = () => {},
): Promise<Outcome<Response>> {
  const responses: Response[] = [];
  call.on('data', (response: Response) => {
    responses.push(response);
    onResponse(response);
  });
  // A status that is not OK is an error, too; what follows it is no "end".
  const read = new Promise<void>((resolve) => {
    call.on('end', resolve);
    call.on('error', () => resolve());
  });
  const [outcome] = await Promise.all([ended(call, responses), read]);
  return outcome;
}

function ended<Response>(call: Events, responses: readonly Response[]): Promise<Outcome<Response>> {
  let initialMetadata = new Metadata();
  call.on('metadata', (metadata: Metadata) => {
    initialMetadata = metadata;
  });
  return new Promise((resolve) => {
    call.on('status', ({ code, details, metadata: trailingMetadata }: StatusObject) =>
      resolve({ code, details, initialMetadata, trailingMetadata, responses, peer: call.getPeer() }),
    );
  });
}

/** What the descriptions call "call was successful". The message says with what status it failed. */
export function requireOk({ code, details }: Outcome<unknown>): void {
  if (code !== status.OK) throw new Error(`the call ended with ${status[code]}: ${details}`);
}
