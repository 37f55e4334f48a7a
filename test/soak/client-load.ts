/**
 * Makes the calls of one client and accounts for each: workers of the four kinds, each with one call under way at a time.
 * So a slow machine makes fewer calls, and not a backlog. Every call that was started is reported once, when it ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import type { Random } from '../../lib/runtime.js';
import type { HelloClient, HiResponse } from '../support/hello-service.js';
import type { CallKind, EndedCall } from './call-rules.js';

export interface CallerOptions {
  readonly client: HelloClient;
  /** The client has the options that the README advises. */
  readonly advised: boolean;
  readonly random: Random;
  readonly unaryWorkers: number;
  /** For each of the three kinds of stream. */
  readonly streamWorkers: number;
  readonly onEnd: (call: EndedCall) => void;
  /** An answer that is not the one to the question. */
  readonly onWrongAnswer: (sentence: string) => void;
}

/** Hung pods hold calls so long; a busy machine must not. */
const UNARY_DEADLINE_MS = 10_000;
const STREAM_DEADLINE_MS = 60_000;
/** Between two calls of a worker. */
const PAUSE_MS = 100;
/** Between two messages of a stream. */
const STREAM_GAP_MS = 200;
const STREAM_MESSAGES = [5, 50] as const;

let lastId = 0;

/** What the four kinds of call objects have in common, as far as it is needed here. */
interface AnyCall {
  getPeer(): string;
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

interface Account {
  readonly id: number;
  readonly kind: CallKind;
  readonly startedAt: number;
  answered: boolean;
  /** As the answers have it. */
  answeredBy: string | null;
}

export class LoadGenerator {
  readonly #options: CallerOptions;
  readonly #underWay = new Map<number, Account>();
  #stopping = false;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  start(): void {
    const { unaryWorkers, streamWorkers } = this.#options;
    for (let count = 0; count < unaryWorkers; count++) void this.#keepUp(() => this.#unary());
    for (const make of [() => this.#serverStream(), () => this.#clientStream(), () => this.#chat()])
      for (let count = 0; count < streamWorkers; count++) void this.#keepUp(make);
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Resolves when every call has ended, or when none can still be expected to. */
  async finish(): Promise<void> {
    this.#stopping = true;
    const deadline = performance.now() + STREAM_DEADLINE_MS + UNARY_DEADLINE_MS;
    while (this.#underWay.size > 0 && performance.now() < deadline) await sleep(20);
  }

  /** Calls that never ended. After `finish()`. */
  get lost(): readonly string[] {
    return [...this.#underWay.values()].map(({ id, kind }) => `call ${id} (${kind}) never ended`);
  }

  async #keepUp(make: () => Promise<void>): Promise<void> {
    while (!this.#stopping) {
      await make();
      await sleep(2 * PAUSE_MS * this.#options.random());
    }
  }

  async #unary(): Promise<void> {
    const account = this.#open('unary');
    const message = `question ${account.id}`;
    const request = { to_who: 'pod', message };
    const options = { deadline: Date.now() + UNARY_DEADLINE_MS };
    const call = this.#options.client.Hi(request, new Metadata(), options, (_error, response) => {
      if (response) this.#answer(account, response, message);
    });
    await this.#track(account, call);
  }

  /** The pod sends one word after the other. */
  async #serverStream(): Promise<void> {
    const account = this.#open('server stream');
    // Pods take some 25 ms a word.
    const words = Array.from({ length: 4 * this.#messages() }, (_, index) => `${index}`);
    const call = this.#options.client.HiMany({ to_who: 'pod', message: words.join(' ') }, this.#streamOptions());
    let received = 0;
    call.on('data', (response: HiResponse) => this.#answer(account, response, words[received++]));
    const read = new Promise((resolve) => call.on('end', resolve));
    const { code } = await this.#track(account, call);
    if (code === status.OK) await read;
    if (code === status.OK && received !== words.length)
      this.#complain(account, `ended OK with ${received} of ${words.length} messages`);
  }

  /** The pod answers once, at the end. */
  async #clientStream(): Promise<void> {
    const account = this.#open('client stream');
    const sent: string[] = [];
    const call = this.#options.client.HiAll(new Metadata(), this.#streamOptions(), (_error, response) => {
      if (response) this.#answer(account, response, sent.join(' '));
    });
    const ended = this.#track(account, call);
    for (let left = this.#messages(); left > 0 && this.#isOpen(account) && !this.#stopping; left--) {
      sent.push(`${left}`);
      call.write({ to_who: 'pod', message: `${left}` });
      await this.#pause(ended);
    }
    if (this.#isOpen(account)) call.end();
    await ended;
  }

  /** Question and answer. */
  async #chat(): Promise<void> {
    const account = this.#open('chat');
    const call = this.#options.client.HiChat(this.#streamOptions());
    const read = new Promise((resolve) => call.on('end', resolve));
    const ended = this.#track(account, call);
    let sent = 0;
    let received = 0;
    let heard = (): void => {};
    call.on('data', (response: HiResponse) => {
      this.#answer(account, response, `${received++}`);
      heard();
    });
    for (const most = this.#messages(); sent < most && this.#isOpen(account) && !this.#stopping; sent++) {
      const answer = new Promise<void>((resolve) => {
        heard = resolve;
      });
      call.write({ to_who: 'pod', message: `${sent}` });
      // One at a time: a pod that is slow for a moment would answer the second question first.
      await Promise.race([answer, ended]);
      await this.#pause(ended);
    }
    if (this.#isOpen(account)) call.end();
    const { code } = await ended;
    if (code === status.OK) await read;
    if (code === status.OK && received !== sent)
      this.#complain(account, `ended OK with ${received} answers to ${sent} questions`);
  }

  #open(kind: CallKind): Account {
    const account: Account = { id: ++lastId, kind, startedAt: performance.now(), answered: false, answeredBy: null };
    this.#underWay.set(account.id, account);
    return account;
  }

  #isOpen(account: Account): boolean {
    return this.#underWay.has(account.id);
  }

  async #track(account: Account, call: AnyCall): Promise<StatusObject> {
    call.on('metadata', () => {
      account.answered = true;
    });
    // Streams emit it beside the status; without a listener it would be thrown.
    call.on('error', () => {});
    const end = await new Promise<StatusObject>((resolve) => call.on('status', resolve));
    this.#underWay.delete(account.id);
    this.#options.onEnd({
      id: account.id,
      kind: account.kind,
      advised: this.#options.advised,
      answered: account.answered,
      startedAt: account.startedAt,
      endedAt: performance.now(),
      pod: account.answeredBy ?? podOf(call.getPeer(), end.details),
      code: end.code,
      details: end.details,
    });
    return end;
  }

  #answer(account: Account, { from_who, message }: HiResponse, expected: string | undefined): void {
    if (message !== expected) this.#complain(account, `was answered "${message}" and not "${expected}"`);
    if (account.answeredBy !== null && account.answeredBy !== from_who)
      this.#complain(account, `was answered by ${account.answeredBy}, then by ${from_who}`);
    account.answeredBy = from_who;
  }

  #complain({ id, kind }: Account, what: string): void {
    this.#options.onWrongAnswer(`call ${id} (${kind}) ${what}`);
  }

  #messages(): number {
    const [least, most] = STREAM_MESSAGES;
    return least + Math.floor(this.#options.random() * (most - least + 1));
  }

  #streamOptions(): { deadline: number } {
    return { deadline: Date.now() + STREAM_DEADLINE_MS };
  }

  #pause(ended: Promise<unknown>): Promise<unknown> {
    return Promise.race([sleep(STREAM_GAP_MS), ended]);
  }
}

/** A call that was answered tells its pod; one that ran out of time, where it was waiting. */
function podOf(peer: string, details: string): string | null {
  const waiting = [...details.matchAll(/remote_addr=([\d.]+):\d+/g)].at(-1)?.[1];
  return /^([\d.]+):\d+$/.exec(peer)?.[1] ?? waiting ?? null;
}
