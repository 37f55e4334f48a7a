/** The page of `watch --web`, against real pods and a DNS server on loopback. */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { watch } from '../../../lib/cli/watch/watch.js';
import { Cluster } from '../../support/cluster.js';
import { eventually } from '../../support/eventually.js';
import { failUnaryCalls } from '../../support/failing-calls.js';
import { Browser, CHROMIUM_IS_MISSING, type OpenPage, VIEWS } from './browser.js';
import { auditPage } from './page-audit.js';

type Defer = (cleanUp: () => unknown) => void;

interface Served {
  readonly url: string;
  readonly port: string;
  stop(): Promise<void>;
}

/** Cleans up in reverse order. What is left behind is looked for in test/cli, without a browser. */
function deferred(t: TestContext): Defer {
  const cleanUps: (() => unknown)[] = [];
  t.after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });
  return (cleanUp) => void cleanUps.push(cleanUp);
}

async function serve(
  defer: Defer,
  cluster: Cluster,
  { port = '0', flags = [] }: { port?: string; flags?: readonly string[] } = {},
): Promise<Served> {
  let out = '';
  const abort = new AbortController();
  const args = [cluster.target, '--server', cluster.dns.address, '--interval', '200ms', '--web', port, ...flags];
  const ended = watch.run(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => assert.fail(text),
    env: {},
    terminal: null,
    signal: abort.signal,
  });
  const stop = async (): Promise<void> => {
    abort.abort();
    await ended;
  };
  defer(stop);
  await eventually(() => assert.match(out, /The page is at http/));
  const [, url = ''] = /The page is at (\S+)/.exec(out) ?? [];
  return { url, port: new URL(url).port, stop };
}

/** Elements that end right of the window. */
const TOO_WIDE =
  '[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest(".track, .overlay, .scroll, .hidden")).map((e) => e.outerHTML.slice(0, 80))';

/** Address and state of each lane, as a person reads them. */
async function lanesOf(page: OpenPage): Promise<Record<string, string>> {
  const lanes = await page.locator('.timeline .lane:has(b[title])').allInnerTexts();
  return Object.fromEntries(lanes.map((text) => text.trim().split(/\s+/, 2)));
}

describe('the page of watch --web', { skip: CHROMIUM_IS_MISSING }, () => {
  let browser: Browser;

  before(async () => {
    browser = await Browser.launch();
  });
  after(() => browser?.close());

  for (const view of VIEWS)
    test(`pods that come, go and fail are shown ${view.width} pixels wide and ${view.colorScheme}`, async (t) => {
      const defer = deferred(t);
      const cluster = await Cluster.start(defer, { pods: 2 });
      const page = await browser.open((await serve(defer, cluster)).url, view);
      const [first, second] = cluster.pods;
      assert.ok(first && second);
      await eventually(async () =>
        assert.deepEqual(await lanesOf(page), { [first.address]: 'ready', [second.address]: 'ready' }),
      );
      assert.equal(await page.textContent('#ready'), '2');

      const [third] = await cluster.scaleUp(1);
      assert.ok(third);
      await eventually(async () => assert.equal((await lanesOf(page))[third.address], 'ready'));
      cluster.unpublish(first);
      await eventually(async () => assert.equal((await lanesOf(page))[first.address], 'draining'));
      await second.kill();
      await eventually(async () => assert.equal((await lanesOf(page))[second.address], 'backoff'));
      await first.stop();
      await eventually(async () => assert.equal((await lanesOf(page))[first.address], 'gone'));
      cluster.dns.fail('*', 'SERVFAIL');
      await eventually(async () => assert.match((await page.textContent('#answer-note')) ?? '', /SERVFAIL/));

      const bars = (state: string) => page.locator(`.lane .span.${state}`).count();
      assert.equal(await bars('ready'), 3);
      assert.ok((await bars('backoff')) >= 1 && (await bars('draining')) >= 1);
      assert.ok((await page.locator('.lane .mark.changed').count()) >= 2, 'answers with a change are marked');
      assert.ok((await page.locator('.lane .mark.failed').count()) >= 1, 'failures of DNS are marked');
      assert.match(await page.innerText('#answers'), /NOERROR[\s\S]*3 addresses[\s\S]*\+/);
      assert.match(await page.innerText('#changes'), /left DNS, draining/);
      assert.match(await page.innerText('#counters'), /pods drained\s+1/);

      assert.deepEqual(await page.evaluate(TOO_WIDE), []);
      assert.ok(
        await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
        'no part is wider than the page',
      );
      page.assertQuiet();
    });

  for (const view of VIEWS)
    test(`pods that are ejected or unhealthy are shown with the reason, ${view.width} pixels wide and ${view.colorScheme}`, async (t) => {
      const defer = deferred(t);
      const cluster = await Cluster.start(defer, { pods: 2, pod: { health: 'SERVING' } });
      const [sick] = await cluster.scaleUp(1, { server: { interceptors: [failUnaryCalls] } });
      const [well, unwell] = cluster.pods;
      assert.ok(well && unwell && sick);
      const flags = ['--calls', '50', '--outlier', '--health'];
      const page = await browser.open((await serve(defer, cluster, { flags })).url, view);
      await unwell.behave({ health: 'NOT_SERVING' });
      const states = { [well.address]: 'ready', [unwell.address]: 'unhealthy', [sick.address]: 'ejected' };
      await eventually(async () => assert.deepEqual(await lanesOf(page), states));
      assert.equal(await page.textContent('#ready'), '1');
      assert.equal(await page.textContent('#states'), '1 ready, 1 ejected, 1 unhealthy');
      const reasons = (await page.locator('.timeline .lane em').allInnerTexts()).join('\n');
      assert.match(reasons, /health check: NOT_SERVING/);
      assert.match(reasons, /calls again in \d+ s, at [\d:]+: 5 failures in a row, the last one UNAVAILABLE/);
      for (const state of ['ejected', 'unhealthy'])
        assert.ok((await page.locator(`.lane .span.${state}`).count()) >= 1, `${state} pods have a bar of their own`);
      assert.match(await page.innerText('#changes'), /ejected for 10 s: 5 failures in a row/);

      await well.behave({ health: 'NOT_SERVING' });
      await eventually(async () => assert.match((await page.textContent('#watching')) ?? '', /^panic: /));
      assert.deepEqual(await page.evaluate(TOO_WIDE), []);
      assert.deepEqual(await auditPage(page, { minContrast: 4.5, minFontPx: 10 }), []);
      page.assertQuiet();
    });

  test('after a restart of the command the page connects again by itself and shows the new run alone', async (t) => {
    const defer = deferred(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const first = await serve(defer, cluster);
    const page = await browser.open(first.url, { width: 1_400, colorScheme: 'light' });
    const scriptErrors: string[] = [];
    page.on('pageerror', ({ message }) => scriptErrors.push(message));
    await eventually(async () => assert.equal(Object.keys(await lanesOf(page)).length, 2));
    assert.equal(await page.textContent('#link'), 'live');
    page.assertQuiet();

    await first.stop();
    await eventually(async () =>
      assert.match((await page.textContent('#link')) ?? '', /connection lost, trying again/),
    );
    const [gone, kept] = cluster.pods;
    assert.ok(gone && kept);
    cluster.unpublish(gone);
    await serve(defer, cluster, { port: first.port });
    await eventually(async () => assert.equal(await page.textContent('#link'), 'live'), { timeoutMs: 15_000 });
    await eventually(async () => assert.deepEqual(await lanesOf(page), { [kept.address]: 'ready' }));
    assert.deepEqual(scriptErrors, []);
  });

  test('the time shown can be chosen with the keyboard, and an open list of addresses stays open', async (t) => {
    const defer = deferred(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const page = await browser.open((await serve(defer, cluster)).url, { width: 1_400, colorScheme: 'dark' });
    await eventually(async () => assert.equal(Object.keys(await lanesOf(page)).length, 2));
    const width = () =>
      page
        .locator('.lane .span.ready')
        .first()
        .evaluate((bar) => Number.parseFloat(bar.style.width));
    await eventually(async () => assert.ok((await width()) > 1));
    const before = await width();
    await page.locator('#range input').first().focus();
    await page.keyboard.press('ArrowRight');
    await eventually(async () => assert.ok((await width()) < before / 2));

    await page.locator('#answers tr').last().locator('summary').click();
    const [pod] = cluster.pods;
    const asked = cluster.dns.queries.length;
    await eventually(() => cluster.dns.queries.length > asked + 2);
    await page.waitForTimeout(300);
    assert.match(await page.locator('#answers tr').last().innerText(), new RegExp(pod?.ip ?? '-'));
    page.assertQuiet();
  });

  test('another site that is open in the browser cannot read the events', async (t) => {
    const defer = deferred(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    const [mine, other] = [await serve(defer, cluster), await serve(defer, cluster)];
    // Another port is another origin; the content policy is not this test's matter, so the page is an empty one.
    const page = await browser.open(`${other.url}icon.svg`, { width: 500, colorScheme: 'light' });
    const read = await page.evaluate(`fetch('${mine.url}events').then(() => 'read', () => 'refused')`);
    assert.equal(read, 'refused');
  });
});
