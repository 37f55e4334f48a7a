/**
 * Side effect: `headless:` targets work wherever grpc-js takes a target, where only a string can be changed.
 *
 * @module grpc-headless/register
 */
import { registerHeadless } from './compose.js';

registerHeadless();
