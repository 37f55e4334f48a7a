/** Statuses other than OK, with their messages. */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { type InteropCases, unaryCall } from '../interop-case.js';
import { beginning, single, streamed } from '../outcome.js';
import { UnimplementedService } from '../test-service.js';

export const statusCases: InteropCases = {
  async status_code_and_message({ client }) {
    const response_status = { code: status.UNKNOWN, message: 'test status message' };
    const unary = await unaryCall(client, { response_status });
    assert.deepEqual({ code: unary.code, message: unary.details }, response_status);

    const call = client.FullDuplexCall(...beginning());
    call.write({ response_status });
    call.end();
    const duplex = await streamed(call);
    assert.deepEqual({ code: duplex.code, message: duplex.details }, response_status);
  },

  async special_status_message({ client }) {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
    const { code, details } = await unaryCall(client, { response_status: { code: status.UNKNOWN, message } });
    assert.deepEqual({ code, details }, { code: status.UNKNOWN, details: message });
  },

  async unimplemented_method({ client }) {
    const { code } = await single((callback) => client.UnimplementedCall({}, ...beginning(), callback));
    assert.equal(code, status.UNIMPLEMENTED);
  },

  async unimplemented_service({ client, credentials }) {
    const channel = client.getChannel();
    const other = new UnimplementedService(channel.getTarget(), credentials, { channelOverride: channel });
    const { code } = await single((callback) => other.UnimplementedCall({}, ...beginning(), callback));
    assert.equal(code, status.UNIMPLEMENTED);
  },
};
