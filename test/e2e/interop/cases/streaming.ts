/** Streams of requests, of responses, and of both. */
import assert from 'node:assert/strict';
import { assertZeros, type InteropCases, zeros } from '../interop-case.js';
import { beginning, requireOk, single, streamed } from '../outcome.js';
import type { StreamingInputCallResponse } from '../test-service.js';

const REQUESTS = [27_182, 8, 1_828, 45_904] as const;
const RESPONSES = [31_415, 9, 2_653, 58_979] as const;

export const streamingCases: InteropCases = {
  async client_streaming({ client }) {
    const outcome = await single<StreamingInputCallResponse>((callback) => {
      const call = client.StreamingInputCall(...beginning(), callback);
      for (const size of REQUESTS) call.write({ payload: zeros(size) });
      call.end();
      return call;
    });
    requireOk(outcome);
    assert.deepEqual(outcome.responses, [{ aggregated_payload_size: 74_922 }]);
  },

  async server_streaming({ client }) {
    const request = { response_parameters: RESPONSES.map((size) => ({ size })) };
    const outcome = await streamed(client.StreamingOutputCall(request, ...beginning()));
    requireOk(outcome);
    assertZeros(outcome.responses, RESPONSES);
  },

  async ping_pong({ client }) {
    const call = client.FullDuplexCall(...beginning());
    const turns = REQUESTS.map((size, index) => ({
      response_parameters: [{ size: RESPONSES[index] as number }],
      payload: zeros(size),
    }));
    const next = (): void => {
      const turn = turns.shift();
      if (turn) call.write(turn);
      else call.end();
    };
    next();
    const outcome = await streamed(call, next);
    requireOk(outcome);
    assertZeros(outcome.responses, RESPONSES);
  },

  async empty_stream({ client }) {
    const call = client.FullDuplexCall(...beginning());
    call.end();
    const outcome = await streamed(call);
    requireOk(outcome);
    assert.deepEqual(outcome.responses, []);
  },
};
