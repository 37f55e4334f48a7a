/** The channel options that the documentation recommends for every cluster. */

/** Service config: a call that the pod had not begun to answer is tried again on another pod. */
export const RETRY_POLICY = JSON.stringify({
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
});

export const RECOMMENDED_OPTIONS = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.service_config': RETRY_POLICY,
};
