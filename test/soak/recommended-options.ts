/** The channel options that the README advises for every cluster. */
export const RECOMMENDED_OPTIONS = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.service_config': JSON.stringify({
    methodConfig: [
      {
        name: [{ service: 'hello.Hello' }],
        retryPolicy: {
          maxAttempts: 3,
          initialBackoff: '0.05s',
          maxBackoff: '1s',
          backoffMultiplier: 2,
          retryableStatusCodes: ['UNAVAILABLE'],
        },
      },
    ],
  }),
};
