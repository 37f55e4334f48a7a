/** The interop server of grpc-go. */
import { GoProgram } from '../../support/go-program.js';

export const interopServer = new GoProgram('interop', {
  folder: 'test/e2e/interop/go',
  build: 'test/e2e/interop/main.ts',
  packages: ['compression'],
});
