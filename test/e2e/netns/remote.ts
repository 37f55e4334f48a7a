/**
 * A child process whose functions are called as if they were here: arguments and results cross by structured clone,
 * an error as its message. The child ends when its parent does, however that ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a child offers: `serve(handlers)` there, `Remote<typeof handlers>` here. */
export type Remote<H> = {
  readonly [K in keyof H]: H[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

interface Request {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

type Response = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };

type Handlers = Readonly<Record<string, (...args: never[]) => unknown>>;

const LOADER = new URL('../../../.ts-node.mjs', import.meta.url).href;

const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface RemoteProcess<H> {
  readonly call: Remote<H>;
  /** SIGKILL; resolves when it is gone. */
  end(): Promise<void>;
}

/** Starts a TypeScript program inside a network namespace; resolves when it takes calls. */
export async function startInside<H>(namespace: string, program: string): Promise<RemoteProcess<H>> {
  const argv = ['netns', 'exec', namespace, process.execPath, '--import', LOADER, program];
  const child = spawn('ip', argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
  children.add(child);
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  child.on('message', (response: Response) => {
    const one = waiting.get(response.id);
    waiting.delete(response.id);
    if ('error' in response) one?.reject(new Error(response.error));
    else one?.resolve(response.result);
  });
  child.on('exit', (code, signal) => {
    children.delete(child);
    for (const { reject } of waiting.values())
      reject(new Error(`${program} ended with ${signal ?? code} before it answered`));
    waiting.clear();
  });
  await new Promise<unknown>((resolve, reject) => waiting.set(0, { resolve, reject }));
  const ask = (name: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!child.connected) return reject(new Error(`${program} has ended`));
      const request: Request = { id: ++lastId, name, args };
      waiting.set(request.id, { resolve, reject });
      child.send(request);
    });
  const call = new Proxy(
    {},
    {
      get:
        (_target, name) =>
        (...args: unknown[]) =>
          ask(String(name), args),
    },
  );
  return {
    call: call as Remote<H>,
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** In the child: answers its parent's calls from now on. */
export function serve(handlers: Handlers): void {
  const tell = (response: Response): void => {
    if (process.connected) process.send?.(response);
  };
  process.on('message', ({ id, name, args }: Request) => {
    Promise.resolve()
      .then(() => handlers[name]?.(...(args as never[])))
      .then(
        (result) => tell({ id, result }),
        (error: unknown) => tell({ id, error: error instanceof Error ? error.message : String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(0));
  // A terminal sends Ctrl-C to the whole group; the parent decides when this ends.
  process.on('SIGINT', () => {});
  tell({ id: 0, result: 'up' });
}
