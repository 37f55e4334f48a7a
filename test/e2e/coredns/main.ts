/** Builds CoreDNS unless it is there. */
import { buildAll } from '../../support/go-program.js';
import { coredns } from './program.js';

buildAll([coredns]);
