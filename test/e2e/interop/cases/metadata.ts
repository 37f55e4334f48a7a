/** Metadata of the client's that the server sends back, before and after the response. */
import assert from 'node:assert/strict';
import { Metadata } from '@grpc/grpc-js';
import { assertZeros, type InteropCases, LARGE_REQUEST, LARGE_RESPONSE, largeUnary, zeros } from '../interop-case.js';
import { beginning, type Outcome, requireOk, streamed } from '../outcome.js';

const INITIAL = 'x-grpc-test-echo-initial';
const TRAILING = 'x-grpc-test-echo-trailing-bin';
const TEXT = 'test_initial_metadata_value';
const BYTES = Buffer.from([0xab, 0xab, 0xab]);

export const metadataCases: InteropCases = {
  async custom_metadata({ client }) {
    assertEchoed(await largeUnary(client, {}, { metadata: custom() }));

    const call = client.FullDuplexCall(...beginning({ metadata: custom() }));
    call.write({ response_parameters: [{ size: LARGE_RESPONSE }], payload: zeros(LARGE_REQUEST) });
    call.end();
    const outcome = await streamed(call);
    requireOk(outcome);
    assertZeros(outcome.responses, [LARGE_RESPONSE]);
    assertEchoed(outcome);
  },
};

function custom(): Metadata {
  const metadata = new Metadata();
  metadata.set(INITIAL, TEXT);
  metadata.set(TRAILING, BYTES);
  return metadata;
}

function assertEchoed({ initialMetadata, trailingMetadata }: Outcome<unknown>): void {
  assert.deepEqual(initialMetadata.get(INITIAL), [TEXT]);
  assert.deepEqual(trailingMetadata.get(TRAILING), [BYTES]);
}
