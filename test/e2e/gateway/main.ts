/** Builds the real grpc-gateway unless it is there. */
import { buildAll } from '../../support/go-program.js';
import { grpcGateway } from './program.js';

buildAll([grpcGateway]);
