/**
 * The 50 faults that this package promises to withstand, and which tests name them: a test's name holds `fault 7`,
 * `faults 23 and 34` or `faults 2, 4, 5`, in whatever place.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Each in a few words; the first is row 1. */
export const FAULTS: readonly string[] = [
  'a datagram of 0 to 11 octets',
  'a wrong id from the right source',
  'a reply from another address or port',
  'QR=0, another opcode, 0 or 2 questions',
  'a reply to another question',
  'pointers to themselves, onward, in a loop',
  'pointer chains and names without end, 64 KB over TCP',
  'labels of unknown types, names of 255 and 256 octets',
  'ANCOUNT 65535 and an empty body',
  'addresses of the wrong length',
  'every proper prefix of a valid reply',
  'another class, an unrelated owner',
  'a chain of CNAMEs, its A first or last',
  'CNAMEs in a loop, too many, or without an A',
  'a malformed unrelated record beside a good A',
  'a broken OPT, two OPTs',
  'FORMERR or BADVERS',
  'TC with a part of the set',
  'TC over TCP',
  'TCP refused after TC',
  'TCP in pieces, two frames at once, RST after a frame',
  'TCP closed in mid-frame, length 0, a trickle',
  'SERVFAIL, REFUSED, NOTIMP',
  'NXDOMAIN or NODATA after a good answer',
  'NXDOMAIN at the start',
  'A answered, AAAA failing',
  'TTL 0, TTL 2^32-1',
  'records shuffled or repeated',
  'addresses that nothing can be connected to',
  'resolv.conf missing, odd or out of range',
  'resolv.conf replaced while running',
  'names that DNS cannot carry',
  'a first server that is a black hole',
  'all DNS down, the pods alive',
  'a reply after the timeout or after close()',
  'an IP taken by another workload',
  'a new pod whose port is closed',
  'GOAWAY with calls in flight',
  'GOAWAY too_many_pings',
  'a pod that is a black hole',
  'every pod lost, then new ones',
  'a pod that leaves DNS with a stream open',
  'a pod that returns during its drain',
  'close() during a lookup, a connect, a drain',
  'a graceful rolling restart under load',
  'a hard kill under load',
  'bad options',
  '10,000 addresses in one answer',
  'a set that alternates at each poll',
  'a wall clock that jumps',
];

export interface NamedTest {
  /** From the folder of all tests. */
  readonly file: string;
  readonly name: string;
}

const TESTS = fileURLToPath(new URL('..', import.meta.url));
const OWN_TEST = fileURLToPath(new URL('./table.test.ts', import.meta.url));
const NUMBERS = /\bfaults?\s+(\d+(?:\s*(?:,|and|to|[-–])\s*(?:and\s+)?\d+)*)/gi;

/** The numbers in a name: listed with commas or "and", or as a range. */
export function faultsIn(name: string): number[] {
  return [...name.matchAll(NUMBERS)].flatMap(([, list = '']) =>
    list.split(/\s*(?:,|and)\s*/).flatMap((part) => {
      const [first, last] = part.split(/\s*(?:to|[-–])\s*/).map(Number);
      if (!first) return [];
      return Array.from({ length: (last ?? first) - first + 1 }, (_, index) => first + index);
    }),
  );
}

/** Which tests name which row. What a name holds is read from the source: no test has to run for it. */
export function testsByFault(): Map<number, NamedTest[]> {
  const rows = new Map<number, NamedTest[]>(FAULTS.map((_, index) => [index + 1, []]));
  for (const entry of readdirSync(TESTS, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const file = relative(TESTS, path);
    // This table's own test has numbers in its examples.
    if (!entry.isFile() || !file.endsWith('.test.ts') || path === OWN_TEST) continue;
    for (const name of textsIn(path))
      for (const fault of new Set(faultsIn(name))) rows.get(fault)?.push({ file, name });
  }
  return rows;
}

/** Every text of a file, comments left out: a name may stand in a table, far from the `test` that it is given to. */
function textsIn(path: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.push(node.text);
    else if (ts.isTemplateExpression(node)) texts.push(node.getText(source).slice(1, -1));
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest);
  visit(source);
  return texts;
}
