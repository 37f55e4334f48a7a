/** The client of grpc-go with kuberesolver (test/e2e/kuberesolver/main.go): a process that tells of each of its calls. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { status } from '@grpc/grpc-js';
import { kuberesolver } from '../../test/e2e/kuberesolver/program.js';
import { UNARY_DEADLINE_MS } from '../../test/support/hello-calls.js';
import { Recorder } from '../../test/support/recorder.js';
import { machineMs } from './clock.js';
import { CallKeeper, type ClientLog, type ClientSettings, type Observer, READY_WITHIN_MS } from './observer.js';

export interface GoOptions {
  /** The program, and arguments before those that it is given. Default: kuberesolver. */
  readonly command?: readonly [file: string, ...args: string[]];
  /** Default 60,000. */
  readonly readyWithinMs?: number;
}

/** Times are `machineMs()`. */
interface GoCall {
  readonly dueAt: number;
  readonly endedAt: number;
  readonly code: status;
  /** Null where none answered. */
  readonly pod: string | null;
}

type Ended = readonly [code: number | null, signal: NodeJS.Signals | null];

export class GoObserver implements Observer {
  readonly #settings: ClientSettings;
  readonly #command: readonly [file: string, ...args: string[]];
  readonly #readyWithinMs: number;
  readonly #recorder = new Recorder();
  readonly #calls = new CallKeeper(this.#recorder, 0);
  #beganAt = 0;
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #ended: Promise<Ended> | undefined;

  constructor(
    settings: ClientSettings,
    { command = [kuberesolver.binary], readyWithinMs = READY_WITHIN_MS }: GoOptions = {},
  ) {
    this.#settings = settings;
    this.#command = command;
    this.#readyWithinMs = readyWithinMs;
  }

  async connect(): Promise<void> {
    const { target, api, callsPerSecond } = this.#settings;
    const [file, ...args] = this.#command;
    const rate = ['-rate', `${callsPerSecond}`, '-deadline', `${UNARY_DEADLINE_MS}ms`];
    const child = spawn(file, [...args, ...rate, `kubernetes:///${target}`, api], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // Of a process that has ended: its exit code tells.
    child.stdin.on('error', () => {});
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', (...ended) => resolve(ended)));
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => this.#read(line));
    let timer: NodeJS.Timeout | undefined;
    const connected = new Promise<void>((resolve, reject) => {
      const fail = (reason: string): void => reject(new Error(`${this.#settings.id}: ${reason}`));
      lines.on('line', (line) => {
        if (line === 'READY') resolve();
      });
      child.once('error', ({ message }) => fail(message));
      void this.#ended?.then((ended) => fail(howEnded(ended)));
      timer = setTimeout(() => fail(`it is not connected after ${this.#readyWithinMs} ms`), this.#readyWithinMs);
    });
    try {
      await connected;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  call(): void {
    this.#child?.stdin.write('\n');
  }

  begin(): void {
    this.#calls.reset();
    this.#beganAt = machineMs();
  }

  async finish(): Promise<ClientLog> {
    this.#child?.stdin.end();
    const ended = await this.#ended;
    if (ended?.[0] !== 0) throw new Error(`${this.#settings.id}: ${ended ? howEnded(ended) : 'it was not started'}`);
    return { ...this.#calls.log(), id: this.#settings.id, updates: [], connected: [], polls: null, queries: null };
  }

  #read(line: string): void {
    const call = readCall(line);
    // Lines of earlier calls may still be in the pipe.
    if (call === null || call.endedAt < this.#beganAt) return;
    const { dueAt, endedAt, code, pod } = call;
    const end = { pod, peer: null, code, details: '', committed: code === 0, mismatch: null };
    this.#recorder.end(this.#recorder.start('unary', dueAt), end, endedAt);
  }
}

function readCall(line: string): GoCall | null {
  const [, due, ended, code, pod] = /^CALL (\d+) (\d+) (\d+) (\S+)$/.exec(line) ?? [];
  if (pod === undefined) return null;
  return {
    dueAt: Number(due) / 1000,
    endedAt: Number(ended) / 1000,
    code: Number(code),
    pod: pod === '-' ? null : pod,
  };
}

function howEnded([code, signal]: Ended): string {
  return `its process ended with ${signal ?? `exit code ${code}`}`;
}
