/** The documentation as data: its files, its code blocks, its links and where they lead. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export interface CodeBlock {
  /** Of the comment before it, `<!-- door: NAME -->` or `<!-- example: NAME -->`; null where there is none. */
  readonly name: string | null;
  readonly language: string;
  readonly code: string;
}

/** Paths, relative to the root, of all documents that users or contributors read. */
export function documentsOf(root: string): string[] {
  const pages = namesIn(root, 'docs').filter((name) => name.endsWith('.md'));
  const examples = namesIn(root, 'examples').map((name) => `examples/${name}/README.md`);
  return [
    'README.md',
    'README.zh-CN.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    ...pages.map((name) => `docs/${name}`),
    ...examples.filter((path) => existsSync(join(root, path))),
  ];
}

function namesIn(root: string, folder: string): string[] {
  const path = join(root, folder);
  return existsSync(path) ? readdirSync(path).toSorted() : [];
}

/** The text on one side of a diff: what a reader has before the change, or after it. */
export function sideOf(diff: string, side: 'before' | 'after'): string {
  const other = side === 'before' ? '+' : '-';
  return diff
    .split('\n')
    .filter((line) => !line.startsWith(other))
    .map((line) => line.slice(1))
    .join('\n');
}

/** Links to other sites that are not `https:` addresses of a host, such as one with a space or without a host. */
export function malformedLinksIn(markdown: string): string[] {
  return linksIn(markdown).filter((link) => {
    if (!/^[a-z]+:/.test(link)) return false;
    const url = URL.canParse(link) ? new URL(link) : null;
    return url?.protocol !== 'https:' || !url.hostname.includes('.') || url.username !== '';
  });
}

export function codeBlocksOf(markdown: string): CodeBlock[] {
  const blocks = markdown.matchAll(/(?:^<!-- (?:door|example): ([\w ]+) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm);
  return Array.from(blocks, ([, name, language, code]) => ({
    name: name ?? null,
    language: language as string,
    code: code as string,
  }));
}

/** The links of a document that lead to no file, or to no heading of one. Those to other sites are not followed. */
export function brokenLinksOf(root: string, document: string): string[] {
  const path = join(root, document);
  return linksIn(readFileSync(path, 'utf8')).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file, anchor] = link.split('#') as [string, string?];
    const target = file === '' ? path : resolve(dirname(path), file);
    if (relative(root, target).startsWith('..') || !existsSync(target)) return true;
    return anchor !== undefined && !anchorsIn(readFileSync(target, 'utf8')).includes(anchor);
  });
}

/** The targets of all links and images, in their order. */
export function linksIn(markdown: string): string[] {
  // A link's own text may be code; a link inside of code is none.
  const prose = withoutCode(markdown).replace(/`[^`\n]*`/g, '');
  return Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target as string);
}

/** As GitHub makes them: a heading that stands twice gets a number. */
function anchorsIn(markdown: string): string[] {
  const seen = new Map<string, number>();
  return Array.from(withoutCode(markdown).matchAll(/^#{1,6} (.+)$/gm), ([, heading]) => {
    const slug = (heading as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

export function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '');
}
