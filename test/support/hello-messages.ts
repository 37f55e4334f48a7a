/** The Hello service for Connect-ES: its descriptor, typed as generated code would type it. */
import { fileURLToPath } from 'node:url';
import type { Message } from '@bufbuild/protobuf';
import type { GenMessage, GenService } from '@bufbuild/protobuf/codegenv2';
import { loadMessageTypes } from './message-types.js';

type HiRequest = Message<'hello.HiRequest'> & { toWho: string; message: string };
type HiResponse = Message<'hello.HiResponse'> & { fromWho: string; message: string };

interface Method<Kind extends string> {
  methodKind: Kind;
  input: GenMessage<HiRequest>;
  output: GenMessage<HiResponse>;
}

type HelloDescriptor = GenService<{
  hi: Method<'unary'>;
  hiMany: Method<'server_streaming'>;
  hiAll: Method<'client_streaming'>;
  hiChat: Method<'bidi_streaming'>;
}>;

const registry = loadMessageTypes([fileURLToPath(new URL('./hello.proto', import.meta.url))]);

export const Hello = registry.getService('hello.Hello') as HelloDescriptor;
