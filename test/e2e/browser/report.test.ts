/** The report of the benchmark, and the charts that the documentation shows, as a reader's browser draws them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PUBLISHED } from '../../../bench/harness/result.js';
import { DOCUMENT } from '../../../bench/report/chart.js';
import { standalone } from '../../../bench/report/standalone.js';
import { publishedChapters, publishedReport } from '../../support/published-report.js';
import { Browser, CHROMIUM_IS_MISSING, VIEWS } from './browser.js';
import { auditPage } from './page-audit.js';

/** WCAG AA. */
const MIN_CONTRAST = 4.5;
const MIN_FONT_PX = 12;
/** Of a chart in a document, whose page leaves so much of a window of 500 px. */
const MIN_FONT_IN_DOCUMENT_PX = 10;
const DOCUMENT_ROOM_PX = 468;

describe('the report', { skip: CHROMIUM_IS_MISSING }, () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'report-'));

  function put(name: string, text: string): URL {
    const path = join(folder, name);
    writeFileSync(path, text);
    return pathToFileURL(path);
  }

  before(async () => {
    browser = await Browser.launch();
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  for (const view of VIEWS) {
    const how = `${view.width} pixels wide and ${view.colorScheme}`;

    test(`the report can be read ${how}: nothing overlaps, overflows, is small or pale`, async () => {
      const page = await browser.open(put('report.html', publishedReport()), view);
      for (const details of await page.$$('summary')) await details.click();
      assert.deepEqual(await auditPage(page, { minContrast: MIN_CONTRAST, minFontPx: MIN_FONT_PX }), []);
      page.assertQuiet();
    });

    test(`each chart of the report is shown once ${how}`, async () => {
      const page = await browser.open(put('report.html', publishedReport()), view);
      const [charts, drawings] = await Promise.all([
        page.locator('figure.chart').count(),
        page.locator('.drawing:visible').count(),
      ]);
      assert.ok(charts >= 13, `${charts} charts`);
      assert.equal(drawings, charts);
    });
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    const faultsOf = async (url: URL): Promise<string[]> => {
      const page = await browser.open(url, { width: DOCUMENT.width, colorScheme });
      const minFontPx = (MIN_FONT_IN_DOCUMENT_PX * DOCUMENT.width) / DOCUMENT_ROOM_PX;
      const faults = await auditPage(page, { minContrast: MIN_CONTRAST, minFontPx });
      await page.context().close();
      return faults;
    };

    test(`every chart as a file can be read, ${colorScheme}`, async () => {
      for (const { result, section } of publishedChapters())
        for (const [index, figure] of section.figures.entries()) {
          const name = `${result.question}-${index + 1}.svg`;
          assert.deepEqual(await faultsOf(put(name, standalone(figure))), [], name);
        }
    });

    test(`the published charts can be read, ${colorScheme}`, async () => {
      const names = readdirSync(PUBLISHED).filter((name) => name.endsWith('.svg'));
      assert.ok(names.length > 0);
      for (const name of names) assert.deepEqual(await faultsOf(new URL(name, PUBLISHED)), [], name);
    });
  }
});

describe('the audit of a page', { skip: CHROMIUM_IS_MISSING }, () => {
  let browser: Browser;
  before(async () => {
    browser = await Browser.launch();
  });
  after(() => browser?.close());

  const FAULTS: readonly (readonly [what: string, html: string, fault: RegExp])[] = [
    ['pale text', '<p style="color:#aaa">pale</p>', /"pale" has a contrast of 2\.32/],
    ['small text', '<p style="font-size:9px">small</p>', /"small" is 9\.0 px high/],
    ['a wide page', '<div style="width:900px">wide</div>', /the page is \d+ px wide in a window of 500 px/],
    [
      'text on text',
      '<svg width="200" height="50"><text x="10" y="20">one</text><text x="20" y="24">other</text></svg>',
      /"one" lies on "other"/,
    ],
    [
      'text that runs out of its chart',
      '<svg width="50" height="50"><text x="10" y="20">much too long</text></svg>',
      /"much too long" runs out of its chart/,
    ],
    [
      'text on a shape of nearly its colour',
      '<svg width="90" height="50"><rect width="90" height="50" fill="#222"/><text x="9" y="30">dark</text></svg>',
      /"dark" has a contrast of 1\.\d\d/,
    ],
  ];
  for (const [what, html, fault] of FAULTS)
    test(`${what} is a fault`, async () => {
      const page = await browser.open(`data:text/html,${encodeURIComponent(html)}`, {
        width: 500,
        colorScheme: 'light',
      });
      const faults = await auditPage(page, { minContrast: MIN_CONTRAST, minFontPx: MIN_FONT_PX });
      assert.equal(faults.length, 1, faults.join('; '));
      assert.match(faults[0] ?? '', fault);
    });

  test('a page without faults has none', async () => {
    const html = '<p>plain</p><svg width="200" height="50"><text x="10" y="20">one</text></svg>';
    const page = await browser.open(`data:text/html,${encodeURIComponent(html)}`, { width: 500, colorScheme: 'light' });
    assert.deepEqual(await auditPage(page, { minContrast: MIN_CONTRAST, minFontPx: MIN_FONT_PX }), []);
  });
});
