import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Browser, CHROMIUM_IS_MISSING, VIEWS } from './browser.js';

describe('pages in Chromium', { skip: CHROMIUM_IS_MISSING }, () => {
  let browser: Browser;
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(PAGES[request.url ?? ''] ?? '');
  });
  const PAGES: Record<string, string> = {
    '/plain': '<link rel="icon" href="data:,"><h1>hello</h1>',
    '/far': '<link rel="icon" href="data:,"><img src="http://192.0.2.1/picture.png">',
    '/broken': '<link rel="icon" href="data:,"><script>throw new Error("on purpose")</script>',
  };
  let origin: string;

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await Browser.launch();
  });
  after(async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  });

  for (const view of VIEWS)
    test(`a page opens ${view.width} pixels wide and ${view.colorScheme}`, async () => {
      const page = await browser.open(`${origin}/plain`, view);
      assert.equal(await page.textContent('h1'), 'hello');
      const seen = await page.evaluate('[innerWidth, matchMedia("(prefers-color-scheme: dark)").matches]');
      assert.deepEqual(seen, [view.width, view.colorScheme === 'dark']);
      page.assertQuiet();
    });

  test('a request to another machine is refused and makes the page not quiet', async () => {
    const page = await browser.open(`${origin}/far`, { width: 500, colorScheme: 'light' });
    assert.throws(() => page.assertQuiet(), /request to another machine: http:\/\/192\.0\.2\.1\/picture\.png/);
  });

  test('an error of a script makes the page not quiet', async () => {
    const page = await browser.open(`${origin}/broken`, { width: 500, colorScheme: 'light' });
    assert.throws(() => page.assertQuiet(), /script error: on purpose/);
  });
});
