/** The table of faults with the tests that cover each row, read from the `covers` calls in the tests' source. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { FAULTS } from './faults.js';

export interface NamedTest {
  /** From the folder of all tests. */
  readonly file: string;
  readonly title: string;
}

export interface CoveringTest extends NamedTest {
  readonly faults: readonly number[];
}

const TESTS = fileURLToPath(new URL('..', import.meta.url));

/** The tests that cover each row. */
export function testsByFault(): Map<number, NamedTest[]> {
  const rows = new Map<number, NamedTest[]>([...FAULTS.keys()].map((fault) => [fault, []]));
  for (const entry of readdirSync(TESTS, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const source = readFileSync(path, 'utf8');
    for (const { faults, ...test } of coveringTests(relative(TESTS, path), source))
      for (const fault of faults) {
        const tests = rows.get(fault);
        if (tests === undefined) throw new RangeError(`${test.file}: the table of faults has no row ${fault}`);
        tests.push(test);
      }
  }
  return rows;
}

/**
 * The `covers` calls of a file.
 * @throws SyntaxError where an argument is not a numeral, or where a call has no title beside it.
 */
export function coveringTests(file: string, text: string): CoveringTest[] {
  if (!text.includes('covers(')) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const tests: CoveringTest[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'covers') {
      const title = titleBeside(node);
      if (title === undefined || node.arguments.length === 0 || !node.arguments.every(ts.isNumericLiteral))
        throw new SyntaxError(`${file}: ${node.getText()} needs numerals and a title beside it`);
      tests.push({ file, title, faults: node.arguments.map((argument) => Number(argument.getText())) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return tests;
}

/** The text in the same call or array, or the `title` or the key of the same object of a table of cases. */
function titleBeside(call: ts.CallExpression): string | undefined {
  const { parent } = call;
  if (ts.isCallExpression(parent)) return textIn(parent.arguments);
  if (ts.isArrayLiteralExpression(parent)) return textIn(parent.elements);
  const object = parent.parent;
  // `{ ...covers(7), skip }`: options of a test.
  if (ts.isSpreadAssignment(parent) && ts.isCallExpression(object.parent)) return textIn(object.parent.arguments);
  if (!ts.isPropertyAssignment(parent) || !ts.isObjectLiteralExpression(object)) return undefined;
  for (const property of object.properties)
    if (ts.isPropertyAssignment(property) && property.name.getText() === 'title') return textIn([property.initializer]);
  return ts.isPropertyAssignment(object.parent) ? nameOf(object.parent.name) : undefined;
}

function textIn(nodes: readonly ts.Node[]): string | undefined {
  for (const node of nodes) {
    if (ts.isStringLiteralLike(node)) return node.text;
    if (ts.isTemplateExpression(node)) return node.getText().slice(1, -1);
  }
  return undefined;
}

function nameOf(name: ts.PropertyName): string {
  return ts.isIdentifier(name) || ts.isStringLiteralLike(name) ? name.text : name.getText();
}
