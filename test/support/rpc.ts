/**
 * A program of the benchmark in a process of its own, asked over IPC: for clients whose CPU and event loop are to be
 * measured apart from everything else's.
 *
 *     // client-main.ts            obey<Orders>({ async call({ count }) { …; return { cpuUs } } });
 *     // the question              const child = await Child.spawn<Orders>(new URL('./client-main.ts', import.meta.url));
 *                                  const { cpuUs } = await child.ask('call', { count: 10 });  await child.close();
 *
 * What crosses is cloned by structure: Maps, typed arrays and undefined survive. A child dies with its parent.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a program can be asked, by name: its argument and its answer. */
export type RpcMethods<T> = { readonly [K in keyof T]: (argument: never) => Promise<unknown> };

type Argument<F> = F extends (argument: infer A) => unknown ? A : never;
type Answer<F> = F extends (argument: never) => Promise<infer R> ? R : never;

interface Message {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Reply = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: string };

const LOADER = new URL('../../.ts-node.mjs', import.meta.url).href;

const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export class Child<T extends RpcMethods<T>> {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  #lastId = 0;

  /** Resolves when the program takes orders. */
  static async spawn<T extends RpcMethods<T>>(
    program: URL,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Child<T>> {
    const child = new Child<T>(
      fork(fileURLToPath(program), [], {
        execArgv: ['--import', LOADER],
        env: { ...process.env, ...env },
        serialization: 'advanced',
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
    await new Promise<unknown>((resolve, reject) => child.#waiting.set(0, { resolve, reject }));
    return child;
  }

  private constructor(child: ChildProcess) {
    this.#process = child;
    children.add(child);
    child.on('message', (message) => {
      const reply = message as Reply;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(new Error(reply.error));
      else waiting?.resolve(reply.answer);
    });
    child.on('exit', (code, signal) => {
      children.delete(child);
      for (const { reject } of this.#waiting.values())
        reject(new Error(`a child process ended with ${signal ?? code} before it answered`));
      this.#waiting.clear();
    });
  }

  ask<K extends keyof T & string>(name: K, argument: Argument<T[K]>): Promise<Answer<T[K]>> {
    const id = ++this.#lastId;
    return new Promise<unknown>((resolve, reject) => {
      if (!this.#process.connected) return reject(new Error('a child process has ended'));
      this.#waiting.set(id, { resolve, reject });
      this.#process.send({ id, name, argument } satisfies Message);
    }) as Promise<Answer<T[K]>>;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}

/** The program's side: answers orders until the parent is gone. */
export function serveRpc<T extends RpcMethods<T>>(orders: T): void {
  const tell = (reply: Reply): void => {
    if (process.connected) process.send?.(reply);
  };
  process.on('message', (message) => {
    const { id, name, argument } = message as Message;
    orders[name as keyof T](argument as never).then(
      (answer) => tell({ id, answer }),
      (error: unknown) => tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  // A terminal sends Ctrl-C to the whole group; the parent decides what becomes of its children.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit(0));
  tell({ id: 0, answer: null });
}
