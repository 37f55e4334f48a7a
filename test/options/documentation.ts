/** What the schema of options makes for people: the tables of the README and of docs/options.md, and the comments in the type that users see. */
import ts from 'typescript';
import { type Entry, isGroup, type Members } from '../../lib/options/entry.js';

const TABLE_BEGIN = '<!-- options:begin -->';
const TABLE_END = '<!-- options:end -->';
const LINE_WIDTH = 120;

/** Every entry with its path, groups before their members. */
export function* entriesOf(members: Members, prefix = ''): Generator<[path: string, entry: Entry]> {
  for (const [name, entry] of Object.entries(members)) {
    const path = `${prefix}${name}`;
    yield [path, entry];
    if (isGroup(entry)) yield* entriesOf(entry.members, `${path}.`);
  }
}

/** All that there is to say of each option, for docs/options.md. */
export function optionsTable(members: Members): string {
  return table(
    ['option', 'default', 'allowed', 'meaning'],
    documented(members).map(([path, entry]) => [`\`${path}\``, defaultOf(entry), allowedBy(entry), entry.doc]),
  );
}

/** How the overview says something: the English text, or its translation. */
export type Wording = (english: string) => string;

/** The first sentence of each option, for the README. A group that is off unless it is given has one row, with its members' names. */
export function optionsOverview(members: Members, wording: Wording = (english) => english): string {
  return table(
    ['option', 'default', 'meaning'].map(wording),
    overviewEntries(members).map(([path, entry]) => [
      `\`${path}\``,
      /^(`.*`)?$/.test(defaultOf(entry)) ? defaultOf(entry) : wording(defaultOf(entry)),
      [wording(firstSentence(entry.doc)), ...membersOf(entry, wording)].join(' '),
    ]),
  );
}

/** Options that are always there, and groups that are off: not what is inside these. */
function overviewEntries(members: Members): [path: string, entry: Entry][] {
  const entries = documented(members);
  const off = entries.filter(([, entry]) => isGroup(entry)).map(([path]) => `${path}.`);
  return entries.filter(([path]) => !off.some((group) => path.startsWith(group)));
}

function membersOf(entry: Entry, wording: Wording): string[] {
  if (!isGroup(entry)) return [];
  const names = Object.keys(entry.members).map((name) => `\`${name}\``);
  return names.length === 0 ? [] : [`${wording('Members:')} ${names.join(', ')}.`];
}

/** A group has a row only if it is more than the sum of its members. */
function documented(members: Members): [path: string, entry: Entry][] {
  return [...entriesOf(members)].filter(([, entry]) => !isGroup(entry) || !isPlain(entry.default));
}

/** Without the outer bars, which Markdown does not need: they would count as words of the README. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((row) => `${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')}\n`)
    .join('');
}

/** Up to a full stop that a capital or a code span follows: "0.1" and "e.g." are no ends. */
function firstSentence(text: string): string {
  return /^.*?[.](?= [A-Z`]|$)/.exec(text)?.[0] ?? text;
}

/** The text with the table between its two markers. */
export function withTable(markdown: string, rows: string): string {
  const [before, rest] = splitOnce(markdown, TABLE_BEGIN);
  const [, after] = splitOnce(rest, TABLE_END);
  return `${before}${TABLE_BEGIN}\n${rows}${TABLE_END}${after}`;
}

/**
 * The source with a comment before each property of the interface `name`, in the place of the one it has.
 *
 * @throws where a property has no entry.
 */
export function withComments(source: string, name: string, members: Members): string {
  const file = ts.createSourceFile('options.ts', source, ts.ScriptTarget.Latest, true);
  const declaration = file.statements.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name);
  if (!declaration || !ts.isInterfaceDeclaration(declaration)) throw new Error(`the source has no interface ${name}`);
  const entries = new Map(entriesOf(members));
  const edits: { from: number; to: number; text: string }[] = [];
  const visit = (properties: ts.NodeArray<ts.TypeElement>, prefix: string): void => {
    for (const property of properties) {
      const path = `${prefix}${property.name?.getText(file)}`;
      const entry = entries.get(path);
      if (!entry || !ts.isPropertySignature(property)) throw new Error(`the schema has no entry for ${path}`);
      const to = property.getStart(file);
      const { character } = file.getLineAndCharacterOfPosition(to);
      const indent = ' '.repeat(character);
      edits.push({ from: property.getStart(file, true), to, text: `${comment(entry, indent)}\n${indent}` });
      ts.forEachChild(property, function inside(node): void {
        if (ts.isTypeLiteralNode(node)) visit(node.members, `${path}.`);
        else ts.forEachChild(node, inside);
      });
    }
  };
  visit(declaration.members, '');
  // From the end, so that the positions before an edit stay right.
  return edits
    .sort((a, b) => b.from - a.from)
    .reduce((text, edit) => text.slice(0, edit.from) + edit.text + text.slice(edit.to), source);
}

function comment(entry: Entry, indent: string): string {
  const bounds =
    isGroup(entry) && isPlain(entry.default) ? '' : ` Default: ${defaultOf(entry)}. Allowed: ${allowedBy(entry)}.`;
  const text = `${entry.doc}${bounds}`;
  const single = `/** ${text} */`;
  if (indent.length + single.length <= LINE_WIDTH) return single;
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (`${indent} *${line} ${word}`.length <= LINE_WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(` ${word}`);
  }
  return ['/**', ...lines.map((line) => `${indent} *${line}`), `${indent} */`].join('\n');
}

function defaultOf(entry: Entry): string {
  if (entry.default === undefined) return 'none, it is required';
  if (entry.default === null) return isGroup(entry) ? 'unset' : (entry.unset ?? '');
  const json = JSON.stringify(entry.default);
  return `\`${json.replaceAll('"', "'")}\``;
}

function allowedBy(entry: Entry): string {
  if (!isGroup(entry)) return entry.check.allowed;
  return typeof entry.default === 'boolean' ? '`true`, `false` or an object' : 'an object';
}

/** The group is always there, so that only its members need a description. */
function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function splitOnce(text: string, marker: string): [before: string, after: string] {
  const at = text.indexOf(marker);
  if (at < 0 || text.indexOf(marker, at + 1) >= 0) throw new Error(`${marker} must be in the text exactly once`);
  return [text.slice(0, at), text.slice(at + marker.length)];
}
