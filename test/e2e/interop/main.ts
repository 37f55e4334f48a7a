/** Builds the interop server of grpc-go unless it is there. Fails where it cannot, since there is no test without it. */
import { interopServer } from './program.js';

const missing = interopServer.ensureBuilt();
if (missing !== null) {
  console.error(`npm run test:interop cannot start: ${missing}`);
  process.exitCode = 1;
}
