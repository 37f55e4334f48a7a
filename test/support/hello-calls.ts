/**
 * The four kinds of calls of the Hello service, as a load generator makes them. A call never rejects: it resolves with
 * how it ended, which pod answered, and whether the answers were those to its requests.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import type { HelloClient, HiResponse } from './hello-service.js';

export type CallKind = 'unary' | 'server stream' | 'client stream' | 'bidirectional stream';

export interface CallEnd {
  /** Name of the pod that answered; null where none did. */
  readonly pod: string | null;
  /** `"ip:port"` of the pod that the call was on last; null where it was on none, or where `pod` is known. */
  readonly peer: string | null;
  readonly code: status;
  readonly details: string;
  /** The response headers arrived: from then on no retry policy applies (gRFC A6). */
  readonly committed: boolean;
  /** What was wrong with the first answer that did not match its request. */
  readonly mismatch: string | null;
}

export interface Call {
  readonly kind: CallKind;
  /** @param isStopping whether a stream should end early, because its load generator stops. */
  start(id: number, isStopping: () => boolean): Promise<CallEnd>;
}

export interface UnaryOptions {
  /** Default 5000. */
  readonly deadlineMs?: number;
  readonly waitForReady?: boolean;
  /** The text of each call. Default: `"hi"`. */
  readonly message?: (id: number) => string;
}

export interface StreamOptions {
  readonly deadlineMs: number;
  /** How many messages a stream has; asked at each stream's start. */
  readonly messages: () => number;
}

export interface SendingOptions extends StreamOptions {
  /** Between two messages. */
  readonly gapMs: number;
}

/** Of a unary call, unless it is given another one. */
export const UNARY_DEADLINE_MS = 5_000;

export function unary(
  client: HelloClient,
  { deadlineMs = UNARY_DEADLINE_MS, waitForReady = false, message = () => 'hi' }: UnaryOptions = {},
): Call {
  return {
    kind: 'unary',
    start: (id) =>
      new Promise((resolve) => {
        const text = message(id);
        const request = { to_who: 'pod', message: text };
        const options = { deadline: Date.now() + deadlineMs };
        let committed = false;
        const call = client.Hi(request, new Metadata({ waitForReady }), options, (error, response) => {
          if (response && !error)
            resolve({
              pod: response.from_who,
              peer: null,
              code: status.OK,
              details: '',
              committed,
              mismatch: mismatchOf(response.message, text),
            });
          else {
            const { code = status.UNKNOWN, details = '' } = error ?? {};
            resolve({ pod: null, peer: peerOf(call.getPeer(), details), code, details, committed, mismatch: null });
          }
        });
        call.on('metadata', () => {
          committed = true;
        });
      }),
  };
}

/** The pod answers one word of the request after the other. */
export function serverStream(client: HelloClient, { deadlineMs, messages }: StreamOptions): Call {
  return {
    kind: 'server stream',
    async start() {
      const words = Array.from({ length: messages() }, (_, index) => `${index}`);
      const request = { to_who: 'pod', message: words.join(' ') };
      const stream = client.HiMany(request, { deadline: Date.now() + deadlineMs });
      const answers = new Answers(stream);
      stream.on('data', (response: HiResponse) => answers.add(response, words[answers.count]));
      const read = new Promise((resolve) => stream.on('end', resolve));
      const { code } = await answers.status;
      if (code === status.OK) await read;
      return answers.end(words.length);
    },
  };
}

/** The pod answers once, at the end. */
export function clientStream(client: HelloClient, { deadlineMs, messages, gapMs }: SendingOptions): Call {
  return {
    kind: 'client stream',
    async start(_id, isStopping) {
      const sent: string[] = [];
      const options = { deadline: Date.now() + deadlineMs };
      const stream = client.HiAll(new Metadata(), options, (_error, response) => {
        if (response) answers.add(response, sent.join(' '));
      });
      const answers = new Answers(stream);
      for (let left = messages(); left > 0 && !answers.ended && !isStopping(); left--) {
        sent.push(`${left}`);
        stream.write({ to_who: 'pod', message: `${left}` });
        await Promise.race([sleep(gapMs), answers.status]);
      }
      if (!answers.ended) stream.end();
      await answers.status;
      return answers.end(1);
    },
  };
}

/** The pod answers each message. */
export function bidirectionalStream(client: HelloClient, { deadlineMs, messages, gapMs }: SendingOptions): Call {
  return {
    kind: 'bidirectional stream',
    async start(_id, isStopping) {
      const stream = client.HiChat({ deadline: Date.now() + deadlineMs });
      const answers = new Answers(stream);
      const read = new Promise((resolve) => stream.on('end', resolve));
      let sent = 0;
      let onAnswer = (): void => {};
      stream.on('data', (response: HiResponse) => {
        answers.add(response, `${answers.count}`);
        onAnswer();
      });
      for (const most = messages(); sent < most && !answers.ended && !isStopping(); sent++) {
        const answer = new Promise<void>((resolve) => {
          onAnswer = resolve;
        });
        stream.write({ to_who: 'pod', message: `${sent}` });
        // One at a time: a pod that is slow for a moment would answer the second message first.
        await Promise.race([answer, answers.status]);
        await Promise.race([sleep(gapMs), answers.status]);
      }
      if (!answers.ended) stream.end();
      const { code } = await answers.status;
      if (code === status.OK) await read;
      return answers.end(sent);
    },
  };
}

/** What the three kinds of stream objects have in common. */
interface AnyStream {
  getPeer(): string;
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The answers of one stream. */
class Answers {
  count = 0;
  readonly status: Promise<StatusObject>;
  readonly #stream: AnyStream;
  #pod: string | null = null;
  #mismatch: string | null = null;
  #committed = false;
  #status: StatusObject | null = null;

  constructor(stream: AnyStream) {
    this.#stream = stream;
    stream.on('metadata', () => {
      this.#committed = true;
    });
    // Streams emit it beside the status; without a listener it would be thrown.
    stream.on('error', () => {});
    this.status = new Promise((resolve) =>
      stream.on('status', (end) => {
        this.#status = end;
        resolve(end);
      }),
    );
  }

  get ended(): boolean {
    return this.#status !== null;
  }

  add({ from_who, message }: HiResponse, expected: string | undefined): void {
    this.count += 1;
    this.#mismatch ??= mismatchOf(message, expected);
    if (this.#pod !== null && this.#pod !== from_who)
      this.#mismatch ??= `was answered by ${this.#pod}, then by ${from_who}`;
    this.#pod = from_who;
  }

  /** After the status, and after the end of what is read. */
  end(expected: number): CallEnd {
    const { code, details } = this.#status ?? { code: status.UNKNOWN, details: 'no status' };
    if (code === status.OK && this.count !== expected)
      this.#mismatch ??= `ended OK with ${this.count} of ${expected} answers`;
    return {
      pod: this.#pod,
      peer: this.#pod === null ? peerOf(this.#stream.getPeer(), details) : null,
      code,
      details,
      committed: this.#committed,
      mismatch: this.#mismatch,
    };
  }
}

function mismatchOf(message: string, expected: string | undefined): string | null {
  return message === expected ? null : `was answered "${message}" and not "${expected}"`;
}

/** The status of a call past its deadline names the connection that it waited on, which `getPeer` does not. */
function peerOf(peer: string, details: string): string | null {
  if (ADDRESS.test(peer)) return peer;
  return [...details.matchAll(/remote_addr=([\d.]+:\d+)/g)].at(-1)?.[1] ?? null;
}

const ADDRESS = /^[\d.]+:\d+$/;
