import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { History } from '../../lib/cli/watch/history.js';
import { readPageAssets } from '../../lib/cli/watch/page-assets.js';
import type { WatchView } from '../../lib/cli/watch/view.js';
import { type Watched, Watcher } from '../../lib/cli/watch/watcher.js';
import { WebServer } from '../../lib/cli/watch/web-server.js';
import type { Snapshot } from '../../lib/index.js';
import { eventually } from '../support/eventually.js';
import { FakeClock } from '../support/fake-clock.js';
import { leakCheck } from '../support/leak-check.js';
import { endpoint, START, snapshot } from './watch-snapshots.js';

const FOLDER = new URL('../../lib/cli/watch/page/', import.meta.url);

async function start(t: TestContext) {
  const defer = leakCheck(t);
  const clock = new FakeClock();
  const watched = {
    now: snapshot(),
    snapshot: (): Snapshot => watched.now,
    on() {},
    off() {},
    close() {},
    async refresh() {},
  };
  const history = new History({ session: 'first', calls: false }, clock.wallTime());
  const watcher = new Watcher(watched satisfies Watched & { now: Snapshot }, history, clock);
  watcher.start();
  defer(() => watcher.stop());
  const server = await WebServer.start(watcher, await readPageAssets(), 0, clock);
  defer(() => server.close());
  return { clock, watched, server, defer };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** node:http, because fetch refuses to send a Host of one's own. */
async function get(url: string, { method = 'GET', host }: { method?: string; host?: string } = {}): Promise<Answer> {
  const sent = request(url, { method, agent: false, ...(host === undefined ? {} : { headers: { host } }) });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk as string;
  return { status: response.statusCode, headers: response.headers, body };
}

/** Reads events until the stream ends. */
async function openEvents(url: string): Promise<{ events: { name: string; view: WatchView }[]; close(): void }> {
  const sent = request(`${url}events`, { agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  assert.equal(response.headers['content-type'], 'text/event-stream');
  const events: { name: string; view: WatchView }[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (name !== undefined && data !== undefined) events.push({ name, view: JSON.parse(data) as WatchView });
    }
  });
  response.on('error', () => {});
  return { events, close: () => sent.destroy() };
}

test('every file of the page is served, and nothing else', async (t) => {
  const { server } = await start(t);
  for (const name of readdirSync(FOLDER)) {
    const { status, body } = await get(`${server.url}${name === 'index.html' ? '' : name}`);
    assert.equal(status, 200, name);
    assert.equal(body, readFileSync(new URL(name, FOLDER), 'utf8'));
  }
  for (const path of ['page', '../package.json', '%2e%2e/package.json', 'index.html/', 'constructor'])
    assert.equal((await get(`${server.url}${path}`)).status, 404, path);
});

test('the page loads what is served here alone, and the policy for its content allows nothing else', async (t) => {
  const { server } = await start(t);
  const assets = await readPageAssets();
  const { headers, body } = await get(server.url);
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /^default-src 'none';/);
  assert.doesNotMatch(policy, /unsafe|http|\*|data:/);
  const references = Array.from(body.matchAll(/(?:src|href)="([^"]+)"/g), ([, path]) => path as string);
  assert.ok(references.length >= 4);
  for (const path of references) assert.ok(assets.has(path), path);
  for (const [path, { type, body: file }] of assets) {
    if (!type.startsWith('text/')) continue;
    assert.doesNotMatch(file.toString(), /https?:\/\/|@import "|url\(|innerHTML/, path);
    for (const [, module] of file.toString().matchAll(/from '\.(\/[^']+)'/g))
      assert.ok(assets.has(module as string), module);
  }
  assert.deepEqual([headers['x-content-type-options'], headers['referrer-policy']], ['nosniff', 'no-referrer']);
});

test('a request by a name that is not loopback is refused, so that DNS rebinding reads nothing', async (t) => {
  const { server } = await start(t);
  const { port } = new URL(server.url);
  for (const path of ['', 'events', 'page.js'])
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '192.0.2.1',
    ])
      assert.equal((await get(`${server.url}${path}`, { host })).status, 403, `${path} ${host}`);
  for (const host of ['localhost', `localhost:${port}`, '127.0.0.1:9000', '[::1]:80', 'LOCALHOST'])
    assert.equal((await get(server.url, { host })).status, 200, host);
});

test('only GET and HEAD are served, and no header lets another origin read the answer', async (t) => {
  const { server } = await start(t);
  const refused = await get(server.url, { method: 'POST' });
  assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD']);
  const head = await get(server.url, { method: 'HEAD' });
  assert.deepEqual([head.status, head.body], [200, '']);
  assert.equal((await get(`${server.url}events`, { method: 'HEAD' })).status, 200);
  assert.equal(head.headers['access-control-allow-origin'], undefined);
});

test('a stream begins with the whole view and goes on with what changes', async (t) => {
  const { server, watched, clock, defer } = await start(t);
  const { events, close } = await openEvents(server.url);
  defer(close);
  await eventually(() => events.length === 1);
  assert.deepEqual([events[0]?.name, events[0]?.view.session, events[0]?.view.pods], ['view', 'first', []]);
  watched.now = snapshot({ endpoints: [endpoint('10.1.0.1:1', 'ready', START)], dns: { addresses: [] } });
  await clock.advance(200);
  await eventually(() => events.length === 2);
  const [, change] = events;
  assert.equal(change?.name, 'change');
  assert.deepEqual(
    change?.view.pods.map(({ address }) => address),
    ['10.1.0.1:1'],
  );
  assert.deepEqual(
    change?.view.changes.map(({ text }) => text),
    ['added: ready'],
  );
  const second = await openEvents(server.url);
  defer(second.close);
  await eventually(() => second.events.length === 1);
  assert.equal(second.events[0]?.view.changes.length, (events[0]?.view.changes.length ?? 0) + 1);
});

test('more streams than a person opens are refused, and one that is closed makes room', async (t) => {
  const { server, defer } = await start(t);
  const streams = await Promise.all(Array.from({ length: 32 }, () => openEvents(server.url)));
  for (const { close } of streams) defer(close);
  assert.equal((await get(`${server.url}events`)).status, 503);
  streams[0]?.close();
  const again = await eventually(() => openEvents(server.url));
  defer(again.close);
});

test('a port that is taken is an error', async (t) => {
  const { server } = await start(t);
  const clock = new FakeClock();
  const watched = { snapshot, on() {}, off() {}, close() {}, async refresh() {} };
  const watcher = new Watcher(watched, new History({ session: 'b', calls: false }, 0), clock);
  await assert.rejects(WebServer.start(watcher, new Map(), Number(new URL(server.url).port), clock), {
    code: 'EADDRINUSE',
  });
});
