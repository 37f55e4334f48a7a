/**
 * Pages in a headless Chromium, for tests. `CHROMIUM_IS_MISSING` is what a suite hands to node:test's `skip`: false where
 * Chromium is installed; otherwise the sentence that says how to get it, which fails the run where CI is set.
 *
 *     const browser = await Browser.launch();
 *     const page = await browser.open('http://127.0.0.1:8080/', { width: 500, colorScheme: 'dark' });
 *     await page.evaluate(...);
 *     page.assertQuiet();     // no script error, no console error, no request to another machine
 *     await browser.close();
 *
 * Pages reach loopback and files only: any other request is refused and recorded.
 */
import assert from 'node:assert/strict';
import { type Browser as Chromium, chromium, type Page } from 'playwright-core';
import { command, missing } from '../netns/requirements.js';

export const CHROMIUM_IS_MISSING = missing(command('chromium', 'chromium'));

const EXECUTABLE = '/usr/bin/chromium';
const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Glyphs as wide on every machine: hinting would round them to whole pixels.
  '--font-render-hinting=none',
];

export interface View {
  readonly width: number;
  readonly colorScheme: 'light' | 'dark';
}

/** What every page must look right in. */
export const VIEWS: readonly View[] = [500, 1_400].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
);

export type OpenPage = Page & {
  /** Throws if a script failed, an error was logged, or the page asked another machine for something. */
  assertQuiet(): void;
};

export class Browser {
  readonly #chromium: Chromium;

  private constructor(browser: Chromium) {
    this.#chromium = browser;
  }

  static async launch(): Promise<Browser> {
    return new Browser(
      await chromium.launch({
        executablePath: EXECUTABLE,
        args: ARGUMENTS,
        // Chromium's own sandbox refuses to run as root.
        chromiumSandbox: process.geteuid?.() !== 0,
      }),
    );
  }

  /** Opens a URL (`http://127.0.0.1:...` or `file://...`) and waits until it has loaded. Closed with the browser. */
  async open(url: string | URL, { width, colorScheme }: View): Promise<OpenPage> {
    const context = await this.#chromium.newContext({ viewport: { width, height: 900 }, colorScheme });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(`script error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`console error: ${message.text()}`);
    });
    await context.route('**', async (route) => {
      const asked = route.request().url();
      if (isLocal(asked)) return route.continue();
      complaints.push(`request to another machine: ${asked}`);
      return route.abort();
    });
    await page.goto(String(url), { waitUntil: 'load' });
    return Object.assign(page, {
      assertQuiet: () => assert.deepEqual(complaints, [], `complaints of ${url}`),
    });
  }

  close(): Promise<void> {
    return this.#chromium.close();
  }
}

function isLocal(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return (
    ['file:', 'data:', 'blob:', 'about:'].includes(protocol) || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
  );
}
