/**
 * Side effect: `headless:` targets work wherever grpc-js takes a target, where only a string can be changed.
 *
 * @module grpc-headless/register
 */
import { registerHeadless } from './compose.js';

registerHeadless();

// grpc-js maps a target to the proxy's before any resolver sees it, and a bare target cannot turn that off.
const proxy = ['grpc_proxy', 'https_proxy', 'http_proxy'].find((name) => process.env[name]);
if (proxy && !process.env['no_grpc_proxy'] && !process.env['no_proxy'])
  process.emitWarning(
    `${proxy} is set, so grpc-js will send headless: targets through the proxy; ` +
      "set the channel option 'grpc.enable_http_proxy' to 0, or name your services in no_grpc_proxy",
    { code: 'GRPC_HEADLESS_PROXY' },
  );
