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
  const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    ...pages.toSorted().map((name) => `docs/${name}`),
  ];
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

function linksIn(markdown: string): string[] {
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

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '');
}
