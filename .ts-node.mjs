// Lets `node` run this package's TypeScript from source: `node --import ./.ts-node.mjs file.ts`.
import { register } from 'node:module';

register('ts-node/esm', import.meta.url);
