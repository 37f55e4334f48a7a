/**
 * Every block of code in the documents: TypeScript has the types of this package and of grpc-js, JSON and YAML can be parsed,
 * commands of a shell are well formed, and the scripts, commands and options in the documents exist.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { COMMANDS } from '../lib/cli/commands.js';
import { type CodeBlock, codeBlocksOf, documentsOf, sideOf } from './support/markdown.js';

const { ENTRIES } = createRequire(import.meta.url)('../.entries.cjs') as { ENTRIES: Readonly<Record<string, string>> };
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
const texts = documentsOf(root).map((document) => ({ document, text: readFileSync(join(root, document), 'utf8') }));
const blocks = texts.flatMap(({ document, text }) =>
  codeBlocksOf(text).map((block, index) => ({ ...block, title: `block ${index + 1} of ${document}` })),
);
type TitledBlock = CodeBlock & { readonly title: string };

/** What a block may use without saying where it comes from. What a block imports or declares comes first. */
const AMBIENT = `
declare global {
  const HelloClient: typeof import('./support/hello-service.js').HelloClient;
  const credentials: typeof import('@grpc/grpc-js').credentials;
  const createHeadlessClient: typeof import('grpc-headless').createHeadlessClient;
  const ReopeningStream: typeof import('grpc-headless').ReopeningStream;
  const channel: import('grpc-headless').HeadlessChannel;
  const client: import('./support/hello-service.js').HelloClient;
}
export {};
`;

/** A block is checked as a file of test/, unless its imports are of another folder. */
const FILES: Readonly<Record<string, string>> = { policy: 'lib/picker/first-ready.ts' };

const checks: Readonly<Record<string, (block: TitledBlock) => void>> = {
  // The compiler checks these together: see below.
  ts: () => {},
  diff: () => {},
  // From an example's source, as test/examples sees to; the compiler checks it in the example's project.
  typescript: () => {},
  json: ({ code }) => void JSON.parse(code),
  jsonc: ({ code }) => assert.equal(ts.parseConfigFileTextToJson('block.jsonc', code).error, undefined),
  yaml: ({ code }) => {
    for (const { errors } of parseAllDocuments(code)) assert.deepEqual(errors, []);
  },
  sh: ({ code }) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  },
  mermaid: ({ code }) => assert.match(code, /^(flowchart TD|stateDiagram-v2|sequenceDiagram)\n/),
  // Output, and trees of files.
  text: () => {},
  '': () => {},
};

for (const block of blocks)
  test(`${block.title} is correct ${block.language || 'text'}`, () => {
    const check = checks[block.language];
    assert.ok(check, `no check for the language "${block.language}": add one to test/code-blocks.test.ts`);
    check(block);
  });

test('every block of TypeScript, and both sides of every diff, have the right types', () => {
  const sources = new Map([[join(here, 'blocks-ambient.ts'), { title: 'the names for all blocks', code: AMBIENT }]]);
  for (const [index, block] of blocks.entries())
    for (const [side, code] of sidesOf(block)) {
      const file = FILES[block.name ?? ''] ?? `test/block-${index}-${side}.ts`;
      sources.set(join(root, file), { title: `${block.title}, ${side}`, code });
    }
  // What a user's generator makes.
  const generated = "export { Hello } from '../support/hello-messages.js';";
  sources.set(join(here, 'gen/hello_pb.ts'), { title: 'generated code', code: generated });
  assert.ok(sources.size > 20);
  assert.deepEqual(problemsOf(sources), []);
});

test('a block with a wrong type is found', () => {
  const code = "channel.on('updates', () => {});\nexport {};\n";
  const sources = new Map([
    [join(here, 'blocks-ambient.ts'), { title: 'the names for all blocks', code: AMBIENT }],
    [join(here, 'block-wrong.ts'), { title: 'wrong', code }],
  ]);
  assert.match(problemsOf(sources).join('\n'), /^wrong:1: .*updates/);
});

/** The modules that a block stands for. */
function sidesOf({ language, code }: CodeBlock): [side: string, code: string][] {
  if (language === 'diff') return (['before', 'after'] as const).map((side) => [side, asModule(sideOf(code, side))]);
  return language === 'ts' ? [['whole', asModule(code)]] : [];
}

function asModule(code: string): string {
  // Members of the options of a channel.
  const whole = /^'[\w.]+': /.test(code)
    ? `export const options: import('grpc-headless').HeadlessChannelOptions = {\n${code}};\n`
    : code;
  return /^(import|export) /m.test(whole) ? whole : `${whole}\nexport {};\n`;
}

/** What the compiler finds wrong with files that exist here alone, by their titles. */
function problemsOf(sources: ReadonlyMap<string, { readonly title: string; readonly code: string }>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const paths = Object.fromEntries(
    Object.entries(ENTRIES).map(([name, file]) => [
      name === 'index' ? 'grpc-headless' : `grpc-headless/${name}`,
      [join(root, 'lib', file)],
    ]),
  );
  const all = { ...options, paths };
  const host = ts.createCompilerHost(all);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, languageVersion, ...more) => {
    const source = sources.get(name);
    if (!source) return getSourceFile(name, languageVersion, ...more);
    return ts.createSourceFile(name, source.code, languageVersion);
  };
  const folders = new Set([...sources.keys()].map((name) => dirname(name)));
  const { directoryExists = () => true } = host;
  host.directoryExists = (name) => folders.has(name) || directoryExists(name);
  host.fileExists = (name) => sources.has(name) || fileExists(name);
  const program = ts.createProgram([...sources.keys()], all, host);
  return [...sources].flatMap(([path, { title }]) => {
    const source = program.getSourceFile(path);
    assert.ok(source, `${title} is not part of the program`);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const { line } = source.getLineAndCharacterOfPosition(start);
      return `${title}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}

/** A command that goes on in the next line is one line. */
function linesOf(text: string): string {
  return text.replace(/\\\n\s*/g, ' ');
}

test('every script that a document runs with npm is in package.json', () => {
  const scriptsIn = (folder: string): object => {
    const path = join(root, folder, 'package.json');
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { scripts: object }).scripts : {};
  };
  for (const { document, text } of texts) {
    // An example may be a package of its own.
    const scripts = { ...scriptsIn('.'), ...scriptsIn(dirname(document)) };
    for (const [, name] of text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g))
      assert.ok(Object.hasOwn(scripts, name as string), `${document}: npm run ${name}`);
  }
});

for (const { document, text } of texts)
  test(`every command of grpc-headless in ${document} exists, with its options`, async () => {
    for (const [, name = '', rest = ''] of linesOf(text).matchAll(/\bnpx grpc-headless ([\w-]+)([^`\n|#)]*)/g)) {
      const entry = COMMANDS[name];
      assert.ok(entry, `there is no command ${name}`);
      const { help } = await entry.load();
      for (const [flag] of rest.matchAll(/--[a-z][\w-]*/g))
        assert.match(help, new RegExp(`${flag}(?![\\w-])`), `${name} has no option ${flag}`);
    }
  });

test('the states in the diagram are those of an endpoint', () => {
  const source = readFileSync(join(root, 'lib/balancer/endpoint-state.ts'), 'utf8');
  const union = source.slice(
    source.indexOf('export type EndpointState ='),
    source.indexOf('export type EndpointStateKind'),
  );
  const kinds = Array.from(union.matchAll(/readonly kind: '(\w+)'/g), ([, kind]) => kind);
  const diagram =
    blocks.find(({ language, code }) => language === 'mermaid' && code.startsWith('stateDiagram'))?.code ?? '';
  const drawn = Array.from(diagram.matchAll(/(\w+) --> (\w+)|\[\*\] --> (\w+)/g), (match) => match.slice(1)).flat();
  assert.deepEqual([...new Set(drawn.filter((kind) => kind !== undefined))].toSorted(), kinds.toSorted());
});
