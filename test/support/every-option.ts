/** Every option for special cases at once: what the soak and the interop tests call "everything". */
import type { HeadlessOptions } from '../../lib/index.js';

/** The subset is the whole set: each pod that comes has to get calls. */
export const EVERY_OPTION: HeadlessOptions = {
  balance: { policy: 'peak_ewma', choices: 3, slowStartMs: 1_000, subset: { size: 1_000 }, connections: 2 },
  retry: { attempts: 3 },
  outlier: true,
  health: true,
};
