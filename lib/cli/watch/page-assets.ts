/**
 * The files of the page: plain HTML, CSS and JavaScript modules that a browser runs as they are. They are read from where
 * the package is installed, so that they are found from lib/, from dist/ and from a bundle of it.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface PageAsset {
  readonly type: string;
  readonly body: Buffer;
}

/** By the path in the URL. */
export type PageAssets = ReadonlyMap<string, PageAsset>;

const FOLDER = 'lib/cli/watch/page';

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

const FILES: Readonly<Record<string, keyof typeof TYPES>> = {
  'index.html': 'html',
  'page.css': 'css',
  'timeline.css': 'css',
  'tables.css': 'css',
  'page.js': 'js',
  'connection.js': 'js',
  'element.js': 'js',
  'format.js': 'js',
  'store.js': 'js',
  'summary.js': 'js',
  'tables.js': 'js',
  'timeline.js': 'js',
  'icon.svg': 'svg',
};

export async function readPageAssets(): Promise<PageAssets> {
  const root = dirname(createRequire(import.meta.url).resolve('grpc-headless/package.json'));
  const entries = Object.entries(FILES).map(async ([name, kind]): Promise<[string, PageAsset]> => {
    const body = await readFile(join(root, FOLDER, name));
    return [name === 'index.html' ? '/' : `/${name}`, { type: TYPES[kind], body }];
  });
  return new Map(await Promise.all(entries));
}
