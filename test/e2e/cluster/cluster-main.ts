/** The program in the cluster's network namespace: the control plane, its DNS servers, the scheduler and the kubelet. */
import { writeFileSync } from 'node:fs';
import { serveRpc } from '../../support/rpc.js';
import { Api, ApiError } from './api.js';
import { ClusterDns } from './cluster-dns.js';
import { ControlPlane } from './control-plane.js';
import { Kubelet, type PodView } from './kubelet.js';
import { schedule } from './scheduler.js';
import type { DnsName } from './topology.js';

interface Parts {
  readonly controlPlane: ControlPlane;
  readonly dns: ClusterDns;
  readonly kubelet: Kubelet;
}

let started: Parts | undefined;

function parts(): Parts {
  if (started === undefined) throw new Error('the cluster was not started');
  return started;
}

const methods = {
  /** Resolves when the first DNS server answers. */
  async start(folder: string, advertised: string): Promise<void> {
    // Of this network namespace: servers may listen on IPv6 addresses that are local by a route alone, as on IPv4.
    writeFileSync('/proc/sys/net/ipv6/ip_nonlocal_bind', '1');
    const controlPlane = new ControlPlane(folder, advertised);
    const dns = new ClusterDns(folder, controlPlane);
    started = { controlPlane, dns, kubelet: new Kubelet(controlPlane.api) };
    await controlPlane.start();
    await started.kubelet.start();
    schedule(controlPlane.api, (message) => started?.kubelet.errors.push(`scheduler: ${message}`));
    await dns.start('first');
  },

  /** A request to the API, with its JSON. */
  async api(method: string, path: string, body?: unknown): Promise<unknown> {
    return parts().controlPlane.api.send(method, path, body);
  },

  /** As `kubectl apply --server-side`. Resolves with the warnings. */
  apply: (path: string, object: unknown): Promise<readonly string[]> => parts().controlPlane.api.apply(path, object),
  /** The status of a request with this token in the place of the administrator's. */
  async statusAs(token: string, method: string, path: string): Promise<number> {
    const api = new Api({ ...parts().controlPlane.access, token });
    try {
      await api.send(method, path, method === 'POST' ? {} : undefined);
      return 200;
    } catch (error) {
      if (error instanceof ApiError) return error.status;
      throw error;
    }
  },

  killApi: (): Promise<void> => parts().controlPlane.killApi(),
  startApi: (): Promise<void> => parts().controlPlane.startApi(),
  startDns: (name: DnsName): Promise<void> => parts().dns.start(name),
  stopDns: (name: DnsName): Promise<void> => parts().dns.stop(name),
  pods: (namespace: string): Promise<PodView[]> => parts().kubelet.pods(namespace),
  setReady: (namespace: string, pod: string, ready: boolean): Promise<void> =>
    parts().kubelet.setReady(namespace, pod, ready),

  /** What tells why a test failed. */
  log(): string {
    const { controlPlane, dns, kubelet } = parts();
    return [controlPlane.log, dns.log, '--- kubelet', ...kubelet.errors].join('\n');
  },
};

export type ClusterProgram = typeof methods;

serveRpc(methods);
