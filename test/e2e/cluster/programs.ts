/** The Kubernetes control plane, unmodified. */
import { GoProgram } from '../../support/go-program.js';

const module = { folder: 'test/e2e/cluster/go', build: 'test/e2e/cluster/main.ts' };

export const apiServer = new GoProgram('kube-apiserver', { ...module, path: 'kube-apiserver' });
export const controllerManager = new GoProgram('kube-controller-manager', {
  ...module,
  path: 'kube-controller-manager',
});
