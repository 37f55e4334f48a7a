/** One example in a folder outside of the repository: installed from the packed package, type-checked, and run. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { Cluster } from '../support/cluster.js';
import { must, NPM_INSTALL, run } from '../support/packed-package.js';
import { PodsInProcess } from '../support/pods-in-process.js';
import { EXAMPLES_FOLDER, type Example } from './examples.js';

export interface Proof {
  /** Such as `nice-grpc 2.1.18`. */
  readonly versions: readonly string[];
  /** Calls that were answered, and pods that answered; null where the proof is the example's own tests. */
  readonly calls: number | null;
  readonly pods: number | null;
}

const FIRST_PODS = 3;
/** Further answers of each client that are awaited while one pod fails. */
const ANSWERS_BESIDE_FAILURES = 20;

/** @throws where anything is not as it should be, with what the example wrote. */
export async function prove(example: Example, workspace: string, tarball: string): Promise<Proof> {
  const folder = join(workspace, example.name);
  cpSync(join(EXAMPLES_FOLDER, example.name), folder, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|dist)$/.test(path),
  });
  useTarball(folder, tarball);
  await must(run(NPM_INSTALL, folder));
  if (example.generated) await checkGenerated(folder, example.generated);
  await must(run('npm run --silent build', folder));
  const versions = example.packages.map((name) => `${name} ${installedVersion(folder, name)}`);
  if (example.proof === 'pods') return { versions, ...(await callPods(example, folder)) };
  await must(run('npm test', folder));
  return { versions, calls: null, pods: null };
}

function useTarball(folder: string, tarball: string): void {
  const path = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  manifest.dependencies['grpc-headless'] = `file:${tarball}`;
  writeFileSync(path, JSON.stringify(manifest));
}

function installedVersion(folder: string, name: string): string {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

async function checkGenerated(folder: string, { script, files }: NonNullable<Example['generated']>): Promise<void> {
  const read = (): string[] => files.map((file) => withoutVersions(readFileSync(join(folder, file), 'utf8')));
  const committed = read();
  await must(run(`npm run --silent ${script}`, folder));
  const differing = files.filter((_, index) => read()[index] !== committed[index]);
  if (differing.length > 0)
    throw new Error(`${differing.join(', ')}: not what \`npm run ${script}\` writes; run it in the example's folder`);
}

/** Generators write their own version on top, and ranges let that change. */
function withoutVersions(source: string): string {
  return source.replace(/^\/\/ .*$/gm, '');
}

async function callPods(example: Example, folder: string): Promise<{ calls: number; pods: number }> {
  const cluster = new Cluster(await PodsInProcess.create({ suite: 'test', addresses: FIRST_PODS + 1 }), {
    name: `${example.name}.shop.svc.cluster.local`,
  });
  try {
    await cluster.scaleUp(FIRST_PODS);
    const answers = new Answers(example.clients ?? ['']);
    const { onOutput, failed } = scenario(cluster, answers, example.retries ?? false);
    const { ok, output } = await run('exec node dist/client.js', folder, {
      env: { HELLO_TARGET: `headless://${cluster.dns.address}/${cluster.target}`, PORT: '0' },
      onOutput,
    });
    const missing = example.output && !example.output.test(output) ? `its output lacks ${example.output}` : null;
    const problem = ok ? (failed() ?? missing) : 'its client failed';
    if (problem !== null) throw new Error(`${problem}:\n${output.slice(-4_000)}`);
    return { calls: answers.count, pods: answers.fewestPods };
  } finally {
    await cluster.close();
  }
}

/** Three pods answer; then a fourth comes into DNS; then, where the stub retries, one fails; then the client is told to end. */
function scenario(cluster: Cluster, answers: Answers, retries: boolean) {
  let step = 'first pods' as 'first pods' | 'fourth pod' | 'failures' | 'end';
  let endsAt = 0;
  let failure: string | null = null;
  const callsOfFailing = (): number => cluster.pods[0]?.calls ?? 0;
  let callsBefore = 0;
  return {
    failed: () => failure ?? (step === 'end' ? null : `it did not get past the step "${step}"`),
    onOutput: (text: string, terminate: () => void): void => {
      answers.add(text);
      if (step === 'first pods' && answers.fewestPods === FIRST_PODS) {
        step = 'fourth pod';
        cluster.scaleUp(1).catch((error: unknown) => {
          failure = `the fourth pod could not start: ${error}`;
          terminate();
        });
      } else if (step === 'fourth pod' && answers.fewestPods > FIRST_PODS) {
        step = 'failures';
        if (retries) {
          void cluster.pods[0]?.behave({ failWith: status.UNAVAILABLE });
          callsBefore = callsOfFailing();
          endsAt = answers.count + ANSWERS_BESIDE_FAILURES;
        }
      }
      const triedFailing = !retries || callsOfFailing() > callsBefore;
      if (step === 'failures' && answers.count >= endsAt && triedFailing) {
        step = 'end';
        terminate();
      }
    },
  };
}

/** The answers that a client program reports: a line each, `[CLIENT ]POD`. */
class Answers {
  count = 0;
  readonly #pods: ReadonlyMap<string, Set<string>>;
  #rest = '';

  constructor(clients: readonly string[]) {
    this.#pods = new Map(clients.map((client) => [client, new Set()]));
  }

  add(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, client, pod] = /^(?:(\w+) )?(127(?:\.\d+){3})$/.exec(line) ?? [];
      if (pod === undefined) continue;
      this.#pods.get(client ?? '')?.add(pod);
      this.count += 1;
    }
  }

  /** Of the client that reached fewest. */
  get fewestPods(): number {
    return Math.min(...Array.from(this.#pods.values(), ({ size }) => size));
  }
}
