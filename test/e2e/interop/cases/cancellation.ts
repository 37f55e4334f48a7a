/** Calls that the client ends before the server does. */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { eventually } from '../../../support/eventually.js';
import { assertZeros, type InteropCases, zeros } from '../interop-case.js';
import { beginning, single, streamed } from '../outcome.js';

const PAYLOAD = zeros(27_182);

export const cancellationCases: InteropCases = {
  async cancel_after_begin({ client }) {
    const channel = client.getChannel();
    const call = client.StreamingInputCall(...beginning(), () => {});
    const outcome = single(() => call);
    // The metadata is sent once a server is chosen, which is some turns after the call was made.
    await eventually(() => channel.snapshot().endpoints.some(({ inFlight }) => inFlight === 1), { intervalMs: 1 });
    call.cancel();
    const { code } = await outcome;
    assert.equal(code, status.CANCELLED);
  },

  async cancel_after_first_response({ client }) {
    const call = client.FullDuplexCall(...beginning());
    call.write({ response_parameters: [{ size: 31_415 }], payload: PAYLOAD });
    const { code, responses } = await streamed(call, () => call.cancel());
    assertZeros(responses, [31_415]);
    assert.equal(code, status.CANCELLED);
  },

  async timeout_on_sleeping_server({ client }) {
    // On a new channel, as gRPC's own clients do. Once it is connected, grpc-go may reset the stream at the deadline before the
    // client's timer fires, and grpc-js 1.14 reports that as CANCELLED.
    const call = client.FullDuplexCall(...beginning({ deadline: Date.now() + 1 }));
    call.write({ payload: PAYLOAD });
    const { code } = await streamed(call);
    assert.equal(code, status.DEADLINE_EXCEEDED);
  },
};
