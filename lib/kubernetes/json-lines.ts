/** The body of a watch: JSON objects, one a line. */
import type { IncomingMessage } from 'node:http';
import { RequestFailure } from './request-failure.js';

/** Of one line, in characters. An object of Kubernetes has at most about 1.5 million octets. */
const MOST_CHARACTERS = 16_000_000;

/**
 * Calls `listener` with the objects of each chunk that completes any. Resolves at the end of the body.
 *
 * @throws {RequestFailure} if a line is no JSON or too long, or the connection breaks.
 */
export async function readJsonLines(
  response: IncomingMessage,
  listener: (objects: readonly unknown[]) => void,
): Promise<void> {
  let rest = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MOST_CHARACTERS) throw new RequestFailure('a line of the watch is too long');
      const objects = lines.filter((line) => line.trim() !== '').map(parse);
      if (objects.length > 0) listener(objects);
    }
  } catch (cause) {
    if (cause instanceof RequestFailure) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RequestFailure(`the connection broke: ${reason}`, { broken: true, cause });
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new RequestFailure('a line of the watch is not JSON', { cause });
  }
}
