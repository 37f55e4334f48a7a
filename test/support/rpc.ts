/**
 * The one RPC to child processes: the functions of a TypeScript program, called by name from its parent.
 *
 *     // client-main.ts     const methods = { async call(count: number) { …; return { cpuUs } } };
 *                           export type ClientProgram = typeof methods;
 *                           serveRpc(methods);
 *     // the parent         const child = await RpcProcess.start<ClientProgram>(new URL('./client-main.ts', import.meta.url));
 *                           const { cpuUs } = await child.call.call(10);  await child.end();
 *
 * Arguments and results cross by structured clone (Maps, typed arrays, Buffers and undefined survive). An error thrown
 * by a method rejects the call with its message, stack and `code`. A child ends when its parent does, however the
 * parent ends. Calls are handled in the order in which they were made.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The methods of a program of type `M`, as its parent sees them. */
export type RpcClient<M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

export interface RpcProcessOptions {
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The network namespace to run in. Default: this process's. */
  readonly namespace?: string;
}

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

type Response =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: Error; readonly code: string | number | undefined };

/** The id of the response that says that the child takes calls. */
const READY = 0;
const LOADER = new URL('../../.ts-node.mjs', import.meta.url).href;

const children = new Set<ChildProcess>();

// A child stopped by SIGSTOP does not notice that its IPC channel closed; SIGKILL ends it all the same.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export class RpcProcess<M> {
  readonly call: RpcClient<M>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #lastId = READY;

  /** Resolves when the program takes calls: about a second of CPU, most of it for TypeScript. */
  static async start<M>(program: URL, { env = {}, namespace }: RpcProcessOptions = {}): Promise<RpcProcess<M>> {
    const command = [process.execPath, '--import', LOADER, fileURLToPath(program)];
    // `ip netns exec` becomes the program itself: its pid and its IPC channel are the program's.
    if (namespace !== undefined) command.unshift('ip', 'netns', 'exec', namespace);
    const [file, ...args] = command as [string, ...string[]];
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const started = new RpcProcess<M>(child);
    await started.#response(READY);
    return started;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    children.add(child);
    child.on('message', (message) => {
      const response = message as Response;
      const waiting = this.#waiting.get(response.id);
      this.#waiting.delete(response.id);
      if (!('error' in response)) waiting?.resolve(response.result);
      else waiting?.reject(Object.assign(response.error, response.code === undefined ? {} : { code: response.code }));
    });
    const end = (reason: string): void => {
      children.delete(child);
      for (const { reject } of this.#waiting.values())
        reject(new Error(`a child process ended before it answered: ${reason}`));
      this.#waiting.clear();
    };
    child.on('exit', (code, signal) => end(`${signal ?? `exit code ${code}`}`));
    child.on('error', (error) => end(error.message));
    this.call = new Proxy(
      {},
      {
        get:
          (_, name) =>
          (...args: unknown[]) =>
            this.#ask(String(name), args),
      },
    ) as RpcClient<M>;
  }

  /** Sends a signal and waits until the process has exited. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** SIGSTOP: the kernel goes on acknowledging, the program is silent. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  #ask(name: string, args: readonly unknown[]): Promise<unknown> {
    if (!this.#child.connected) return Promise.reject(new Error('a child process has ended'));
    const id = ++this.#lastId;
    const response = this.#response(id);
    this.#child.send({ id, name, args } satisfies Request);
    return response;
  }

  #response(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}

/** In the child: answers its parent's calls until the parent is gone. */
export function serveRpc(methods: Methods): void {
  const send = (response: Response): void => {
    if (process.connected) process.send?.(response);
  };
  const fail = (id: number, thrown: unknown): void => {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    send({ id, error, code: (error as { code?: string | number }).code });
  };
  process.on('message', (message) => {
    const { id, name, args } = message as Request;
    const method = methods[name];
    if (method === undefined) return fail(id, new Error(`this program has no method ${name}`));
    Promise.resolve()
      .then(() => method(...(args as never[])))
      .then(
        (result) => send({ id, result }),
        (error: unknown) => fail(id, error),
      );
  });
  // A terminal sends Ctrl-C to the whole group; the parent decides when its children end.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit(0));
  send({ id: READY, result: undefined });
}
