/** The cost of a pick alone, without calls: balancers on fake subchannels, all connected. */
import { Attempts } from '../../lib/picker/attempts.js';
import { leastRequest } from '../../lib/picker/least-request.js';
import { otherEndpoint } from '../../lib/picker/other-endpoint.js';
import { createPeakEwma } from '../../lib/picker/peak-ewma.js';
import { roundRobin } from '../../lib/picker/round-robin.js';
import { unclaimedLoopback } from '../../test/support/loopback.js';
import { BalancerHarness } from '../harness/balancer-harness.js';
import { quantile, sorted } from '../harness/statistics.js';
import type { Balancer } from './baselines.js';

export interface PickCell {
  readonly kind: 'pick';
  readonly rival: Balancer;
  readonly pods: number;
  /** Of one pick alone, median of the rounds. */
  readonly nanoseconds: number;
}

const PICK_PODS = [4, 50, 1_000];
/** Of each balancer in each round. */
export const PICKS = 200_000;

export async function pickAlone(rounds: number): Promise<PickCell[]> {
  const cells: PickCell[] = [];
  const makers: [Balancer, () => BalancerHarness][] = [
    ['grpc-js round_robin', () => new BalancerHarness('round_robin')],
    ['ours least_request', () => new BalancerHarness('headless', leastRequest)],
    ['ours round_robin', () => new BalancerHarness('headless', roundRobin)],
    // Each pick is the first attempt of a call, with the object that such a call gets.
    ['ours with retry', () => new BalancerHarness('headless', otherEndpoint(leastRequest), () => new Attempts())],
    ['ours peak_ewma', () => new BalancerHarness('headless', createPeakEwma({ choices: 2, slowStartMs: 0 }))],
    ['ours with connections', () => new BalancerHarness('headless', leastRequest, null, { connections: 4 })],
  ];
  for (const pods of PICK_PODS) {
    const ips = unclaimedLoopback(pods);
    const harnesses = makers.map(([balancer, make]) => ({ balancer, harness: make(), times: [] as number[] }));
    for (const { harness } of harnesses) await settle(harness, ips);
    for (let round = 0; round <= rounds; round++)
      for (const { harness, times } of round % 2 === 0 ? harnesses : [...harnesses].reverse()) {
        const startedAt = performance.now();
        harness.pick(PICKS);
        // The first round warms up.
        if (round > 0) times.push(((performance.now() - startedAt) * 1e6) / PICKS);
      }
    for (const { balancer, harness, times } of harnesses) {
      cells.push({ kind: 'pick', rival: balancer, pods, nanoseconds: quantile(sorted(times), 0.5) });
      harness.destroy();
    }
  }
  return cells;
}

/** Ours makes its subchannels a few in each turn, and may wait a turn for what is known of a connection. */
async function settle(harness: BalancerHarness, ips: readonly string[]): Promise<void> {
  harness.update(ips);
  while (harness.made < ips.length) await new Promise((resolve) => setTimeout(resolve, 1));
  harness.connect();
  await new Promise((resolve) => setTimeout(resolve, 1));
}
