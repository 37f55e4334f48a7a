/** The real grpc-gateway as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Defer } from '../../support/leak-check.js';
import { grpcGateway } from './program.js';

export interface RealGateway {
  /** `"ip:port"`: with the default settings, and with `Grpc-Metadata-` headers forwarded. */
  readonly default: string;
  readonly legacy: string;
}

/** @param pods `"ip:port"` of each. */
export async function startRealGateway(defer: Defer, pods: readonly string[]): Promise<RealGateway> {
  const child = spawn(grpcGateway.binary, pods, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  defer(async () => {
    child.kill();
    await ended;
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  return JSON.parse(line);
}
