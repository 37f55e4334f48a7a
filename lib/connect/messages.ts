/** The messages of one method, to octets and back. */
import {
  type BinaryReadOptions,
  type BinaryWriteOptions,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';

export type BinaryOptions = Partial<BinaryReadOptions & BinaryWriteOptions> | undefined;

/** @throws {ConnectError} `internal` for a message that its descriptor does not fit. */
export function encode<I extends DescMessage>(input: I, message: MessageShape<I>, options: BinaryOptions): Uint8Array {
  try {
    return toBinary(input, message, options);
  } catch (error) {
    throw refuse('encoded', input, error);
  }
}

/** @throws {ConnectError} `internal` for octets that are no such message. */
export function decode<O extends DescMessage>(output: O, octets: Uint8Array, options: BinaryOptions): MessageShape<O> {
  try {
    return fromBinary(output, octets, options);
  } catch (error) {
    throw refuse('decoded', output, error);
  }
}

function refuse(done: string, { typeName }: DescMessage, error: unknown): ConnectError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ConnectError(`the ${typeName} cannot be ${done}: ${reason}`, Code.Internal, undefined, undefined, error);
}
