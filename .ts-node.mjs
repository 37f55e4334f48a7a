// Lets `node` run this package's TypeScript from source, through ts-node: `node --import ./.ts-node.mjs file.ts`.
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { create } from 'ts-node';

// Node 22.15 and later: hooks in this thread. ts-node's own are for `register`, which Node 26 warns of (DEP0205).
// They run before Node's stripping of types, so that every Node runs what TypeScript makes of a file.
if (module.registerHooks) {
  const typescript = create({ cwd: import.meta.dirname });
  module.registerHooks({
    resolve(specifier, context, next) {
      // As TypeScript has it, a source is imported by the name of what it becomes.
      const fromSource = /^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts');
      return next(fromSource ? specifier.replace(/js$/, 'ts') : specifier, context);
    },
    load(url, context, next) {
      if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
      const path = fileURLToPath(url);
      return { format: 'module', source: typescript.compile(readFileSync(path, 'utf8'), path), shortCircuit: true };
    },
  });
} else module.register('ts-node/esm', import.meta.url);
