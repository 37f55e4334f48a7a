/** The kinds of calls whose cost is measured. Each call resolves with the name of the pod that answered. */
import { type HelloClient, sayHi } from '../../test/support/hello-service.js';
import { type Call, hello } from '../harness/load-generator.js';

export const WORKLOADS = ['unary', 'stream', 'large'] as const;

export type Workload = (typeof WORKLOADS)[number];

/** Responses of a server-streaming call. */
export const STREAM_LENGTH = 10;
/** Octets of a large message's text, each way. */
export const LARGE_OCTETS = 64 * 1024;

const DEADLINE_MS = 20_000;
const words = Array.from({ length: STREAM_LENGTH }, () => 'word').join(' ');
const text = 'x'.repeat(LARGE_OCTETS);

export function callOf(workload: Workload, client: HelloClient): Call {
  switch (workload) {
    case 'unary':
      return hello(client, DEADLINE_MS);
    case 'stream':
      return () => readStream(client);
    case 'large':
      return async () => (await sayHi(client, { deadline: Date.now() + DEADLINE_MS }, text)).from_who;
  }
}

function readStream(client: HelloClient): Promise<string> {
  return new Promise((resolve, reject) => {
    let pod = '';
    client
      .HiMany({ to_who: 'pod', message: words }, { deadline: Date.now() + DEADLINE_MS })
      .on('data', ({ from_who }) => {
        pod = from_who;
      })
      .on('error', reject)
      .on('end', () => resolve(pod));
  });
}
