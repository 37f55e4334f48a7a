/** A client of grpc-go that watches EndpointSlices, to compare with. */
import { GoProgram } from '../../support/go-program.js';

export const kuberesolver = new GoProgram('kuberesolver', {
  folder: 'test/e2e/kuberesolver',
  build: 'test/e2e/kuberesolver/main.ts',
});
