/** Insecure credentials that show with which options grpc-js makes connections: after everybody had a hand in them. */
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';

export function spiedCredentials(): { credentials: ChannelCredentials; seen: readonly ChannelOptions[] } {
  const seen: ChannelOptions[] = [];
  const spied = credentials.createInsecure();
  const create = spied._createSecureConnector.bind(spied);
  spied._createSecureConnector = (target, options, ...rest) => {
    seen.push(options);
    return create(target, options, ...rest);
  };
  return { credentials: spied, seen };
}
