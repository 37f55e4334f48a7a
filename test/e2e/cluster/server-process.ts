/** A server of the cluster as a child process: it ends with its parent, however that ends, and the end of its log is kept. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Characters. */
const LOG_KEPT = 4_000;

export class ServerProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #log = '';

  constructor(name: string, file: string, args: readonly string[]) {
    this.name = name;
    // The parent may be ended by SIGKILL, and could not end its children then.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit');
    const keep = (text: string): void => {
      this.#log = (this.#log + text).slice(-LOG_KEPT);
    };
    this.#child.stdout?.setEncoding('utf8').on('data', keep);
    this.#child.stderr?.setEncoding('utf8').on('data', keep);
  }

  /** The end of what it wrote. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when the process has exited. A process that exited before is no error. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    this.#child.kill(signal);
    await this.#exited;
  }

  /** Resolves once `check` neither throws nor returns false; rejects with the log when the process exits or time is over. */
  async until(check: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    let reason: unknown = 'still not ready';
    while (performance.now() < deadline && this.#child.exitCode === null) {
      try {
        if (await check()) return;
      } catch (error) {
        reason = error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${this.name} did not become ready: ${reason}\n${this.#log}`);
  }
}
