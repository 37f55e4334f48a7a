/** A server whose unary calls fail, of whichever service: also those of a health service, whose streams go on. */
import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

/** Goes into a pod's `server.interceptors`. */
export const failUnaryCalls: ServerInterceptor = (method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata(metadata, pass) {
          if (method.responseStream) pass(metadata);
          else call.sendStatus({ code: status.UNAVAILABLE, details: 'told to fail' });
        },
      }),
  });
