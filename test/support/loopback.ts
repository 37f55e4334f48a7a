/**
 * Hands out ranges of 127.0.0.0/8, so that test files, suites and other checkouts on the same machine cannot meet.
 *
 * Each suite has sixteen /16s of its own, and a range is one or more free /24s of them. Whoever holds a /24 listens on
 * a lock port of its first address; the kernel gives the lock back when the process ends, in whatever way.
 *
 *     const range = await claimLoopback('test', 10);
 *     range.ip(0);  range.ip(9);
 *     await range.release();
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** The first of a suite's sixteen second octets. */
const FIRST_OCTET = { test: 16, bench: 32, soak: 48, demo: 64 } as const;

export type Suite = keyof typeof FIRST_OCTET;

export interface LoopbackRange {
  /** The address of this number, from 0. */
  ip(index: number): string;
  /** Gives the range back. */
  release(): Promise<void>;
}

const SUBNETS = 16 * 256;
/** `.1` to `.250`. */
const HOSTS = 250;
/** Below the ports that the system gives out by itself. */
export const LOCK_PORT = 12_700;
/** No suite claims addresses from here on. */
const FIRST_UNCLAIMED_OCTET = 128;

/** Ranges of one process follow each other: a connection to an address is never one that an earlier test has left. */
const next: Record<Suite, number> = { test: 0, bench: 0, soak: 0, demo: 0 };

/**
 * Claims a range of at least so many addresses.
 * @throws the system's error: EADDRNOTAVAIL on a system that has 127.0.0.1 alone.
 */
export async function claimLoopback(suite: Suite, addresses = HOSTS): Promise<LoopbackRange> {
  const subnets: string[] = [];
  const locks: Server[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(locks.map((lock) => new Promise((resolve) => lock.close(resolve))));
  };
  for (let tried = 0; subnets.length * HOSTS < addresses; tried++) {
    if (tried === SUBNETS) {
      await release();
      throw new Error(`no loopback subnet is free for the suite "${suite}"`);
    }
    const number = next[suite]++ % SUBNETS;
    const subnet = `127.${FIRST_OCTET[suite] + Math.floor(number / 256)}.${number % 256}`;
    try {
      locks.push(await lock(subnet));
      subnets.push(subnet);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      await release();
      throw error;
    }
  }
  return {
    ip(index) {
      const subnet = subnets[Math.floor(index / HOSTS)];
      if (subnet === undefined) throw new Error(`the range has ${subnets.length * HOSTS} addresses, not ${index + 1}`);
      return `${subnet}.${(index % HOSTS) + 1}`;
    },
    release,
  };
}

/**
 * Addresses that no suite claims: for sets where no server listens on one address alone, because one server listens
 * on all of 127.0.0.0/8, or none does.
 */
export function unclaimedLoopback(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const subnet = Math.floor(index / HOSTS);
    return `127.${FIRST_UNCLAIMED_OCTET + Math.floor(subnet / 250)}.${subnet % 250}.${(index % HOSTS) + 1}`;
  });
}

async function lock(subnet: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen(LOCK_PORT, `${subnet}.1`);
  await once(server, 'listening');
  return server;
}
