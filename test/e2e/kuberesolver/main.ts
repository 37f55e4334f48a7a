/** Builds the client of grpc-go with kuberesolver unless it is there. */
import { buildAll } from '../../support/go-program.js';
import { kuberesolver } from './program.js';

buildAll([kuberesolver]);
