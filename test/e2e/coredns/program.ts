/** CoreDNS with the plugins that the tests use. */
import { GoProgram } from '../../support/go-program.js';

export const coredns = new GoProgram('coredns', { folder: 'test/e2e/coredns', build: 'test/e2e/coredns/main.ts' });
