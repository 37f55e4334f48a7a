import { testInterop } from './interop-tests.js';

testInterop({ tls: false });
