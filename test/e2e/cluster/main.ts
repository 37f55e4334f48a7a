/** Builds the programs of the control plane and its DNS unless they are there. */
import { buildAll } from '../../support/go-program.js';
import { coredns } from '../coredns/program.js';
import { kuberesolver } from '../kuberesolver/program.js';
import { apiServer, controllerManager } from './programs.js';

buildAll([coredns, apiServer, controllerManager, kuberesolver]);
