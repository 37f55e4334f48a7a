/** One watch for each (kubeConfig, Service) in a process, shared by all channels and all their settings. */
import type { Clock, Random } from '../runtime.js';
import type { KubeConfigLike } from './kube-config.js';
import type { WatchedService } from './slice-requests.js';
import { SliceWatch } from './slice-watch.js';

export interface ConfigSource {
  load(): Promise<KubeConfigLike>;
}

/** Held weakly: a watch lives as long as a source that has it. By clock, because tests bring their own. */
const watches = new WeakMap<ConfigSource | KubeConfigLike, WeakMap<Clock, Map<string, WeakRef<SliceWatch>>>>();

/** @param identity what makes two configurations the same. */
export function sharedWatch(
  identity: ConfigSource | KubeConfigLike,
  load: () => Promise<KubeConfigLike>,
  watched: WatchedService,
  runtime: { readonly clock: Clock; readonly random: Random },
): SliceWatch {
  const byClock = watches.get(identity) ?? new WeakMap<Clock, Map<string, WeakRef<SliceWatch>>>();
  watches.set(identity, byClock);
  const byName = byClock.get(runtime.clock) ?? new Map<string, WeakRef<SliceWatch>>();
  byClock.set(runtime.clock, byName);
  const name = `${watched.namespace ?? ''}/${watched.service}`;
  const known = byName.get(name)?.deref();
  if (known) return known;
  for (const [other, watch] of byName) if (!watch.deref()) byName.delete(other);
  const watch = new SliceWatch(load, watched, runtime);
  byName.set(name, new WeakRef(watch));
  return watch;
}
