/**
 * Runs the examples for each kind of stub: installs the packed package there, type-checks, and makes calls to three pods on loopback
 * and to a fourth that DNS names while the client runs.
 *
 *     npm run test:examples              all of them
 *     npm run test:examples -- nestjs    these alone
 *
 * It needs Node, npm and npm's registry.
 */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from '../support/packed-package.js';
import { EXAMPLES, type Example } from './examples.js';
import { type Proof, prove } from './proof.js';

interface Outcome {
  readonly example: Example;
  readonly result: Proof | { readonly problem: string };
  readonly seconds: number;
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !EXAMPLES.some((example) => example.name === name));
if (unknown.length > 0) {
  console.error(
    `no example is called ${unknown.join(', ')}; there are: ${EXAMPLES.map(({ name }) => name).join(', ')}`,
  );
  process.exitCode = 2;
} else await main(EXAMPLES.filter(({ name }) => names.length === 0 || names.includes(name)));

async function main(examples: readonly Example[]): Promise<void> {
  const startedAt = performance.now();
  const workspace = mkdtempSync(join(tmpdir(), 'grpc-headless-examples-'));
  try {
    const tarball = await pack(workspace);
    const outcomes = new Map<Example, Outcome>();
    const queue = [...examples];
    const worker = async (): Promise<void> => {
      for (let example = queue.shift(); example !== undefined; example = queue.shift())
        outcomes.set(example, await tryOne(example, workspace, tarball));
    };
    await Promise.all([worker(), worker()]);
    const all = examples.flatMap((example) => outcomes.get(example) ?? []);
    console.log(`\n${table(all)}\n\nNode ${process.version}, ${Math.round((performance.now() - startedAt) / 1000)} s`);
    if (all.some(({ result }) => 'problem' in result)) process.exitCode = 1;
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

async function tryOne(example: Example, workspace: string, tarball: string): Promise<Outcome> {
  const startedAt = performance.now();
  let result: Outcome['result'];
  try {
    result = await prove(example, workspace, tarball);
  } catch (error) {
    result = { problem: error instanceof Error ? error.message : String(error) };
  }
  console.log('problem' in result ? `✖ ${example.name}\n${result.problem}` : `✔ ${example.name}`);
  return { example, result, seconds: (performance.now() - startedAt) / 1000 };
}

function table(outcomes: readonly Outcome[]): string {
  const rows = [
    ['', 'example', 'installed', 'answered calls', 'pods', 'seconds'],
    ...outcomes.map(({ example, result, seconds }) => {
      const cells =
        'problem' in result
          ? ['✖', example.name, 'failed: see above', '', '']
          : [
              '✔',
              example.name,
              result.versions.join(', '),
              result.calls === null ? 'its own tests' : `${result.calls}`,
              result.pods === null ? '' : `${result.pods}`,
            ];
      return [...cells, seconds.toFixed(1)];
    }),
  ];
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(width(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
