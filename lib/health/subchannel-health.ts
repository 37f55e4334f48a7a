/**
 * The health that grpc-js keeps on a subchannel itself. A policy above ours, such as `outlier_detection` (gRFC A50),
 * marks the subchannels that it ejects there.
 */
import type { HealthMonitor } from './health-monitor.js';

export const subchannelHealth: HealthMonitor = {
  // What happens when all are ejected is that policy's decision.
  binding: true,
  watch({ subchannel }, report) {
    const onHealth = (healthy: boolean): void => report(healthy);
    report(subchannel.isHealthy());
    subchannel.addHealthStateWatcher(onHealth);
    return () => subchannel.removeHealthStateWatcher(onHealth);
  },
};
