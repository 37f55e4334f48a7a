/** The example's programs as processes of their own, each as Kubernetes would start it: with environment variables. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export class Program {
  /** What it printed first: that it is ready. */
  readonly greeting: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** @throws {Error} where it ends before it prints a line. */
  static async start(file: string, env: Readonly<Record<string, string>>): Promise<Program> {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    // However this process ends, the program does not outlive it.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    const ended = once(child, 'exit').finally(() => process.off('exit', kill));
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const [greeting] = await Promise.race([
      once(lines, 'line'),
      ended.then(() => Promise.reject(new Error(`${file} ended before it was ready`))),
    ]);
    return new Program(child, ended, greeting);
  }

  private constructor(child: ChildProcess, ended: Promise<unknown>, greeting: string) {
    this.#child = child;
    this.#ended = ended;
    this.greeting = greeting;
  }

  /** SIGTERM; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
