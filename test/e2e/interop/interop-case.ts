/** What a case of the interop test descriptions is given, and what several of them send. */
import assert from 'node:assert/strict';
import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import type { HeadlessClient } from '../../../lib/index.js';
import { beginning, type CallSettings, type Outcome, requireOk, single } from './outcome.js';
import type { SimpleRequest, SimpleResponse, TestClient } from './test-service.js';

export interface CaseContext {
  readonly client: HeadlessClient<TestClient>;
  /** `"ip:port"` of each server. */
  readonly servers: readonly string[];
  /** Another client, on a channel of its own: closed when the test ends, or before. */
  open(options?: ChannelOptions): HeadlessClient<TestClient>;
  readonly credentials: ChannelCredentials;
}

export type InteropCase = (context: CaseContext) => Promise<void>;

/** By the names that the descriptions give them. */
export type InteropCases = Readonly<Record<string, InteropCase>>;

export const LARGE_REQUEST = 271_828;
export const LARGE_RESPONSE = 314_159;

export function zeros(size: number): { body: Buffer } {
  return { body: Buffer.alloc(size) };
}

export function unaryCall(
  client: TestClient,
  request: SimpleRequest,
  settings?: CallSettings,
): Promise<Outcome<SimpleResponse>> {
  return single<SimpleResponse>((callback) => client.UnaryCall(request, ...beginning(settings), callback));
}

/** `large_unary`, with its assertions. */
export async function largeUnary(
  client: TestClient,
  request: SimpleRequest = {},
  settings?: CallSettings,
): Promise<Outcome<SimpleResponse>> {
  const large = { response_size: LARGE_RESPONSE, payload: zeros(LARGE_REQUEST), ...request };
  const outcome = await unaryCall(client, large, settings);
  requireOk(outcome);
  assertZeros(outcome.responses, [LARGE_RESPONSE]);
  return outcome;
}

/** Exactly so many responses, whose bodies are zeros of these sizes. */
export function assertZeros(responses: readonly SimpleResponse[], sizes: readonly number[]): void {
  assert.deepEqual(
    responses.map(({ payload }) => payload?.body.length),
    sizes,
  );
  for (const { payload } of responses) assert.ok(payload?.body.every((byte) => byte === 0));
}
