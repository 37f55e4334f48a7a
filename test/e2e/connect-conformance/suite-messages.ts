/** The messages between the suite and a client under test: their types, as far as the client uses them. */
import {
  create,
  type DescMessage,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { loadMessageTypes } from '../../support/message-types.js';

export interface Header {
  readonly name: string;
  readonly value: readonly string[];
}

export type CancelTiming =
  | { readonly case: 'beforeCloseSend'; readonly value: unknown }
  | { readonly case: 'afterCloseSendMs' | 'afterNumResponses'; readonly value: number }
  | { readonly case: undefined; readonly value?: undefined };

/** `ClientCompatRequest`. */
export interface ClientRequest extends Message {
  readonly testName: string;
  readonly compression: number;
  readonly host: string;
  readonly port: number;
  readonly serverTlsCert: Uint8Array;
  readonly clientTlsCreds?: { readonly cert: Uint8Array; readonly key: Uint8Array };
  readonly messageReceiveLimit: number;
  readonly service?: string;
  readonly method?: string;
  readonly streamType: number;
  readonly requestHeaders: readonly Header[];
  readonly requestMessages: readonly Any[];
  readonly timeoutMs?: number;
  readonly requestDelayMs: number;
  readonly cancel?: { readonly cancelTiming: CancelTiming };
}

/** `ClientResponseResult`. */
export interface ClientResult {
  readonly responseHeaders: readonly Header[];
  readonly payloads: readonly Message[];
  readonly error?: { readonly code: number; readonly message: string; readonly details: readonly object[] };
  readonly responseTrailers: readonly Header[];
  readonly numUnsentRequests: number;
}

/** Members of enums in `config.proto`. */
export const COMPRESSION_GZIP = 2;
export const FULL_DUPLEX = 5;

const PACKAGE = 'connectrpc.conformance.v1';

export class SuiteMessages {
  readonly registry: ReturnType<typeof loadMessageTypes>;

  /** @param folder of the suite's .proto files. */
  constructor(folder: string) {
    this.registry = loadMessageTypes(['connectrpc/conformance/v1/client_compat.proto'], [folder]);
  }

  service(name = `${PACKAGE}.ConformanceService`): DescService {
    const service = this.registry.getService(name);
    if (service === undefined) throw new Error(`the suite has no service ${name}`);
    return service;
  }

  message(name: string): DescMessage {
    const message = this.registry.getMessage(`${PACKAGE}.${name}`);
    if (message === undefined) throw new Error(`the suite has no message ${name}`);
    return message;
  }

  readRequest(octets: Uint8Array): ClientRequest {
    return fromBinary(this.message('ClientCompatRequest'), octets) as ClientRequest;
  }

  writeResponse(testName: string, result: ClientResult | Error): Uint8Array {
    const type = this.message('ClientCompatResponse');
    const outcome =
      result instanceof Error
        ? { case: 'error', value: { message: result.stack } }
        : { case: 'response', value: result };
    return toBinary(type, create(type, { testName, result: outcome } as MessageInitShape<DescMessage>));
  }
}
