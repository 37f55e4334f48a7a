/** The files of the page: plain HTML, CSS and JavaScript modules that a browser runs as they are. */
import { readFile } from 'node:fs/promises';

export interface PageAsset {
  readonly type: string;
  readonly body: Buffer;
}

/** By the path in the URL. */
export type PageAssets = ReadonlyMap<string, PageAsset>;

/** The build puts a folder of this name beside the code too. */
const FOLDER = new URL('./page/', import.meta.url);

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
  const entries = Object.entries(FILES).map(async ([name, kind]): Promise<[string, PageAsset]> => {
    const body = await readFile(new URL(name, FOLDER));
    return [name === 'index.html' ? '/' : `/${name}`, { type: TYPES[kind], body }];
  });
  return new Map(await Promise.all(entries));
}
