/** The kinds of calls whose cost is measured. */
import { type Call, serverStream, unary } from '../../test/support/hello-calls.js';
import type { HelloClient } from '../../test/support/hello-service.js';

export const WORKLOADS = ['unary', 'stream', 'large'] as const;

export type Workload = (typeof WORKLOADS)[number];

/** Responses of a server-streaming call. */
export const STREAM_LENGTH = 10;
/** Octets of a large message's text, each way. */
export const LARGE_OCTETS = 64 * 1024;

const DEADLINE_MS = 20_000;
const text = 'x'.repeat(LARGE_OCTETS);

export function callOf(workload: Workload, client: HelloClient): Call {
  switch (workload) {
    case 'unary':
      return unary(client, { deadlineMs: DEADLINE_MS });
    case 'stream':
      return serverStream(client, { deadlineMs: DEADLINE_MS, messages: () => STREAM_LENGTH });
    case 'large':
      return unary(client, { deadlineMs: DEADLINE_MS, message: () => text });
  }
}
