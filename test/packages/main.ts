/**
 * Installs the packed package in projects of many kinds, and makes calls there: to a pod on loopback that DNS names, and to one that
 * comes later.
 *
 *     npm run test:packages               all of them
 *     npm run test:packages -- jest yarn  those whose name has one of these words
 *     npm run test:packages -- --table    prints the table of docs/packaging.md, and runs nothing
 *
 * It needs Node, npm and npm's registry.
 */
import { availableParallelism } from 'node:os';
import { type Case, PROJECTS, type Project } from './projects.js';
import { Service } from './service.js';
import { describe, markdownTable } from './table.js';
import { Workspace } from './workspace.js';

interface Outcome {
  readonly project: Project;
  readonly case: Case;
  /** What is wrong; null where the case passed. */
  readonly problem: string | null;
  readonly seconds: number;
}

const args = process.argv.slice(2);
if (args.includes('--table')) console.log(markdownTable(PROJECTS));
else await main(args.map((word) => word.toLowerCase()));

async function main(words: readonly string[]): Promise<void> {
  const projects = PROJECTS.filter(
    (project) => words.length === 0 || words.some((word) => describe(project).toLowerCase().includes(word)),
  );
  if (projects.length === 0) {
    console.error(`no project is called so; there are:\n${PROJECTS.map(describe).join('\n')}`);
    process.exitCode = 2;
    return;
  }
  const startedAt = performance.now();
  const service = await Service.start();
  const workspace = await Workspace.open();
  try {
    const all = await runAll(projects, workspace, service);
    const failed = all.filter(({ problem }) => problem !== null);
    for (const { project, case: failedCase, problem } of failed)
      console.log(`\n✖ ${describe(project)}: ${failedCase.title}\n${problem}`);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const summary = `${all.length - failed.length} passed, ${failed.length} failed`;
    console.log(`\n${formatOutcomes(all)}\n\nNode ${process.version}, ${seconds} s\n${summary}`);
    if (failed.length > 0) process.exitCode = 1;
  } finally {
    await service.close();
    await workspace.close();
  }
}

/** Two or more projects at a time, and the cases of one in turn. In the order of `projects`. */
async function runAll(projects: readonly Project[], workspace: Workspace, service: Service): Promise<Outcome[]> {
  const outcomes = new Map<Project, Outcome[]>();
  const queue = [...projects];
  const worker = async (): Promise<void> => {
    for (let project = queue.shift(); project !== undefined; project = queue.shift())
      outcomes.set(project, await runProject(project, workspace, service));
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(availableParallelism(), 2), 4) }, worker));
  return projects.flatMap((project) => outcomes.get(project) ?? []);
}

async function runProject(project: Project, workspace: Workspace, service: Service): Promise<Outcome[]> {
  const id = `project-${PROJECTS.indexOf(project) + 1}`;
  const startedAt = performance.now();
  const since = (from: number): number => (performance.now() - from) / 1000;
  try {
    await workspace.install(project, id);
  } catch (error) {
    const problem = `could not be installed: ${error instanceof Error ? error.message : String(error)}`;
    return project.cases.map((one) => ({ project, case: one, problem, seconds: since(startedAt) }));
  }
  console.log(`${describe(project)}: installed in ${since(startedAt).toFixed(0)} s`);
  const outcomes: Outcome[] = [];
  for (const [index, one] of project.cases.entries()) {
    const caseStartedAt = performance.now();
    const name = `case-${index + 1}.${id}.test`;
    const { ok, output } = await workspace.runCase(one, id, index + 1, service.publish(name));
    const problem = !ok ? output : service.bothReached(name) ? null : `its calls did not reach both pods\n${output}`;
    outcomes.push({ project, case: one, problem, seconds: since(caseStartedAt) });
    console.log(`${problem === null ? '✔' : '✖'} ${describe(project)}: ${one.title}`);
  }
  return outcomes;
}

function formatOutcomes(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ project, case: one, problem, seconds }) => [
    problem === null ? '✔' : '✖',
    describe(project),
    one.title,
    `${seconds.toFixed(1)} s`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
