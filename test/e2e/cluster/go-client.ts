/** Runs the client of grpc-go with kuberesolver, and reads what it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { kuberesolver } from '../kuberesolver/program.js';
import type { LoadReport } from './client-main.js';

export type GoReport = Pick<LoadReport, 'started' | 'failed' | 'firstAnswerAt'>;

export class GoClient {
  readonly #child: ChildProcess;
  readonly #firstAnswerAt = new Map<string, number>();
  #calls = { started: 0, failed: 0 };

  constructor(args: readonly string[]) {
    this.#child = spawn(kuberesolver.binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (!this.#child.stdout) throw new Error('its output was asked for');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#read(line));
  }

  report(): GoReport {
    return { ...this.#calls, firstAnswerAt: new Map(this.#firstAnswerAt) };
  }

  /** With all of its calls, which are counted at its end. */
  async stop(): Promise<GoReport> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'close');
    return this.report();
  }

  #read(line: string): void {
    const [, calls, failed] = /^CALLS (\d+) FAILED (\d+)$/.exec(line) ?? [];
    const [pod, at] = line.split(' ');
    if (calls !== undefined) this.#calls = { started: Number(calls), failed: Number(failed) };
    else if (pod !== undefined) this.#firstAnswerAt.set(pod, Number(at));
  }
}
