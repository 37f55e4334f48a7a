/**
 * Messages that are compressed or not, as the request says. The server checks the requests; for responses see
 * `received-bytes.ts`.
 */
import assert from 'node:assert/strict';
import { compressionAlgorithms, status } from '@grpc/grpc-js';
import {
  assertZeros,
  type CaseContext,
  type InteropCases,
  LARGE_REQUEST,
  LARGE_RESPONSE,
  largeUnary,
  unaryCall,
  zeros,
} from '../interop-case.js';
import { beginning, type Outcome, requireOk, single, streamed } from '../outcome.js';
import { receivedBytes } from '../received-bytes.js';
import type { StreamingInputCallRequest, StreamingInputCallResponse, TestClient } from '../test-service.js';

const YES = { value: true };
const NO = { value: false };
/** Zeros, compressed, are less than a hundredth of their size. Each message has 5 bytes before it. */
const MOST_COMPRESSED = 2_000;
/** Bit of the flags of a message that grpc-js leaves uncompressed on a channel that compresses. */
const NO_COMPRESS = 2;

export const compressionCases: InteropCases = {
  async client_compressed_unary({ client, open }) {
    const compressing = openCompressing(open);
    const expecting = { response_size: LARGE_RESPONSE, payload: zeros(LARGE_REQUEST), expect_compressed: YES };
    const probe = await unaryCall(client, expecting);
    assert.equal(probe.code, status.INVALID_ARGUMENT);
    await largeUnary(compressing, { expect_compressed: YES });
    await largeUnary(client, { expect_compressed: NO });
  },

  async server_compressed_unary({ client }) {
    const compressed = await receivedBytes(() => largeUnary(client, { response_compressed: YES }));
    assert.ok(compressed < MOST_COMPRESSED, `${compressed} bytes`);
    const plain = await receivedBytes(() => largeUnary(client, { response_compressed: NO }));
    assert.ok(plain > LARGE_RESPONSE, `${plain} bytes`);
  },

  async client_compressed_streaming({ open }) {
    const compressing = openCompressing(open);
    const probe = await streamInput(compressing, [[27_182, YES, NO_COMPRESS]]);
    assert.equal(probe.code, status.INVALID_ARGUMENT);
    const outcome = await streamInput(compressing, [
      [27_182, YES, 0],
      [45_904, NO, NO_COMPRESS],
    ]);
    requireOk(outcome);
    assert.deepEqual(outcome.responses, [{ aggregated_payload_size: 73_086 }]);
  },

  async server_compressed_streaming({ client }) {
    const sizes = [31_415, 92_653] as const;
    const [first, second] = sizes;
    const request = {
      response_parameters: [
        { compressed: YES, size: first },
        { compressed: NO, size: second },
      ],
    };
    const received = await receivedBytes(async () => {
      const outcome = await streamed(client.StreamingOutputCall(request, ...beginning()));
      requireOk(outcome);
      assertZeros(outcome.responses, sizes);
    });
    // The first one compressed and the second one not: no other choice makes this size.
    assert.ok(received > second && received < second + MOST_COMPRESSED, `${received} bytes`);
  },
};

function openCompressing(open: CaseContext['open']): TestClient {
  return open({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
}

function streamInput(
  client: TestClient,
  messages: readonly (readonly [size: number, expected: { value: boolean }, flags: number])[],
): Promise<Outcome<StreamingInputCallResponse>> {
  return single((callback) => {
    const call = client.StreamingInputCall(...beginning(), callback);
    for (const [size, expect_compressed, flags] of messages) {
      const message: StreamingInputCallRequest = { payload: zeros(size), expect_compressed };
      // grpc-js takes the flags in the place of the encoding.
      call.write(message, flags);
    }
    call.end();
    return call;
  });
}
