/** The examples that are projects of their own: one for each kind of stub, in `examples/`. */
import { fileURLToPath } from 'node:url';

export const EXAMPLES_FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));

export interface Example {
  /** Its folder. */
  readonly name: string;
  /** The packages whose installed versions the summary names. */
  readonly packages: readonly string[];
  /** `pods`: its client calls three pods, and a fourth that comes. `tests`: its `npm test` passes. */
  readonly proof: 'pods' | 'tests';
  /** Who calls, as the first word of a line of output says; the pod is the last word. Default: one client that says its pod alone. */
  readonly clients?: readonly string[];
  /** Its stub is set to try failed calls again: one pod fails all calls at the end. */
  readonly retries?: boolean;
  /** Has to be in the output, too. */
  readonly output?: RegExp;
  /** Its generated files that `npm run SCRIPT` writes with packages of npm alone. */
  readonly generated?: { readonly script: string; readonly files: readonly string[] };
}

const GENERATED = { script: 'generate', files: ['src/generated/hello.ts'] };

export const EXAMPLES: readonly Example[] = [
  {
    name: 'nestjs',
    packages: ['@nestjs/core', '@nestjs/microservices'],
    proof: 'pods',
    clients: ['url', 'options'],
    output: /GET \/health answers 200: \[\{"target":.*"state":"READY"/,
  },
  { name: 'nice-grpc', packages: ['nice-grpc', 'ts-proto'], proof: 'pods', generated: GENERATED },
  { name: 'ts-proto', packages: ['ts-proto'], proof: 'pods', generated: GENERATED },
  {
    name: 'protobuf-ts',
    packages: ['@protobuf-ts/grpc-transport'],
    proof: 'pods',
    generated: { script: 'generate', files: [...GENERATED.files, 'src/generated/hello.client.ts'] },
  },
  {
    name: 'static-stubs',
    packages: ['google-protobuf'],
    proof: 'pods',
    generated: { script: 'generate:types', files: ['generated/hello_pb.d.ts', 'generated/hello_grpc_pb.d.ts'] },
  },
  { name: 'google-gax', packages: ['google-gax'], proof: 'pods', retries: true },
  { name: 'unit-testing', packages: ['jest', 'ts-jest'], proof: 'tests' },
];
