/** One request, one response. */
import assert from 'node:assert/strict';
import { type InteropCases, largeUnary } from '../interop-case.js';
import { beginning, requireOk, single } from '../outcome.js';

export const unaryCases: InteropCases = {
  async empty_unary({ client }) {
    const outcome = await single((callback) => client.EmptyCall({}, ...beginning(), callback));
    requireOk(outcome);
    assert.deepEqual(outcome.responses, [{}]);
  },

  async large_unary({ client }) {
    await largeUnary(client);
  },
};
