/** The real grpc-gateway, with the Echo service. */
import { GoProgram } from '../../support/go-program.js';

export const grpcGateway = new GoProgram('grpc-gateway', {
  folder: 'test/e2e/gateway/go',
  build: 'test/e2e/gateway/main.ts',
  packages: ['echo'],
});
