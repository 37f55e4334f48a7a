/** Sends the same requests to this gateway and to the real grpc-gateway, in front of the same pods, and compares the answers. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { createGateway, listen } from '../../../examples/hello/gateway/gateway.js';
import { createHeadlessClient } from '../../../lib/index.js';
import { createFakeDns } from '../../../lib/testing.js';
import { claimLoopback } from '../../support/loopback.js';
import { missing } from '../netns/requirements.js';
import { CASES, type Case } from './cases.js';
import { descriptors, EchoServer } from './echo-server.js';
import { ask, type HttpAnswer } from './http-answer.js';
import { grpcGateway } from './program.js';
import { type RealGateway, startRealGateway } from './real-gateway.js';

const TARGET = 'echo.test.svc.cluster.local';

describe('the gateway answers as grpc-gateway does', { skip: missing(grpcGateway.missing) }, () => {
  const cleanUps: (() => unknown)[] = [];
  const rows: string[][] = [];
  let ours: RealGateway;
  let real: RealGateway;

  before(async () => {
    const defer = (cleanUp: () => unknown): void => void cleanUps.unshift(cleanUp);
    const range = await claimLoopback('test', 2);
    defer(() => range.release());
    const ips = [range.ip(0), range.ip(1)];
    let port = 0;
    for (const ip of ips) {
      const pod = await EchoServer.start(ip, port);
      defer(() => pod.close());
      port = pod.port;
    }
    const { lookup } = createFakeDns({ [TARGET]: ips });
    const client = createHeadlessClient(Client, `${TARGET}:${port}`, credentials.createInsecure(), {
      headless: { dns: { lookup } },
    });
    defer(() => client.close());
    const start = async (metadataHeaders: boolean): Promise<string> => {
      const app = createGateway({ client, descriptors, metadataHeaders });
      defer(() => app.close());
      return new URL(await listen(app, { host: '127.0.0.1', port: 0 })).host;
    };
    ours = { default: await start(false), legacy: await start(true) };
    real = await startRealGateway(
      defer,
      ips.map((ip) => `${ip}:${port}`),
    );
  });

  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
    console.log(table(rows));
  });

  for (const [group, cases] of CASES)
    for (const given of cases)
      test(`${group}: ${given.title}`, async () => {
        const which = given.legacy ? 'legacy' : 'default';
        const [answer, expected] = await Promise.all([ask(ours[which], given), ask(real[which], given)]);
        rows.push([group, given.title, String(answer.status), verdict(given)]);
        if (given.differs === undefined)
          return assert.deepEqual(comparable(answer, given), comparable(expected, given));
        // A difference that is none any more has to leave the list.
        assert.notDeepEqual(comparable(answer, given), comparable(expected, given));
        assert.equal(answer.status, given.differs.status);
        assert.deepEqual(parts(answer.body, given.differs.body), given.differs.body);
      });
});

function verdict({ differs, ownText }: Case): string {
  if (differs) return `differs: ${differs.reason}`;
  return ownText ? 'same but for the text of the message' : 'same';
}

function comparable(answer: HttpAnswer, { ownText }: Case): unknown {
  return ownText ? { ...answer, body: withoutText(answer.body) } : answer;
}

function withoutText(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withoutText);
  if (!isObject(body)) return body;
  if (isObject(body['error'])) return { error: withoutText(body['error']) };
  return typeof body['message'] === 'string' ? { ...body, message: 'its own' } : body;
}

/** The members of an object that `wanted` has too. */
function parts(body: unknown, wanted: unknown): unknown {
  if (!isObject(body) || !isObject(wanted)) return body;
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, body[name]]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}
