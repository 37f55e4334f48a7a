/** The cases that run, by the names that gRPC's interop test descriptions give them. */
import { cancellationCases } from './cases/cancellation.js';
import { compressionCases } from './cases/compression.js';
import { metadataCases } from './cases/metadata.js';
import { soakCases } from './cases/soak.js';
import { statusCases } from './cases/status.js';
import { streamingCases } from './cases/streaming.js';
import { unaryCases } from './cases/unary.js';
import type { InteropCases } from './interop-case.js';

export const INTEROP_CASES: InteropCases = {
  ...unaryCases,
  ...streamingCases,
  ...compressionCases,
  ...metadataCases,
  ...statusCases,
  ...cancellationCases,
  ...soakCases,
};
