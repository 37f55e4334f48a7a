/** What the report says, read from its HTML. How it looks in a browser is tested in test/e2e/browser/. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHTML } from 'linkedom';
import { DOCUMENT } from '../../bench/report/chart.js';
import { standalone } from '../../bench/report/standalone.js';
import { publishedChapters, publishedReport } from '../support/published-report.js';

const { document } = parseHTML(publishedReport());
const text = document.body.textContent ?? '';

const RIVALS = /^(?:grpc-js|HAProxy|kuberesolver|dns-packet|dns\.resolve4|plain poll)\b/;
const LAYOUTS = ['wide', 'narrow'];

interface Drawing {
  querySelectorAll(selector: string): Iterable<Element & { getAttribute(name: string): string | null }>;
}

interface Element {
  readonly textContent: string | null;
}

function drawings(chapter: string, title: string): [layout: string, drawing: Drawing][] {
  const figure = [...document.querySelectorAll(`#${chapter} figure.chart`)].find(
    (candidate) => candidate.querySelector('h3')?.textContent === title,
  );
  assert.ok(figure, `no figure "${title}"`);
  return LAYOUTS.map((layout) => {
    const drawing = figure.querySelector(`.${layout}`);
    assert.ok(drawing, `"${title}" is not drawn ${layout}`);
    return [layout, drawing as unknown as Drawing];
  });
}

function legendOf(drawing: Drawing): Map<string, string> {
  return new Map(
    [...drawing.querySelectorAll('[class*="-swatches"] > span')].map((entry) => {
      const [square] = (entry as unknown as Drawing).querySelectorAll('svg');
      return [entry.textContent?.trim() ?? '', square?.getAttribute('fill') ?? ''];
    }),
  );
}

function labelsOf(drawing: Drawing): string[] {
  return [...drawing.querySelectorAll('text')].map((label) => label.textContent ?? '');
}

test('every question of the benchmark has a chapter', () => {
  assert.deepEqual(
    [...document.querySelectorAll('main > section')].map(({ id }) => id),
    ['intervals', 'caches', 'overhead', 'tail', 'scale', 'dns', 'fleet'],
  );
});

test('grpc-js, which calls no new pod, is a wide line of its own colour with a label', () => {
  for (const [layout, drawing] of drawings('intervals', 'A new pod’s share of the load')) {
    assert.ok(labelsOf(drawing).includes('grpc-js: no new pod gets a call'), layout);
    const colour = legendOf(drawing).get('grpc-js');
    assert.ok(colour, layout);
    const lines = [...drawing.querySelectorAll('path')].filter((path) => path.getAttribute('stroke') === colour);
    assert.deepEqual(
      lines.map((line) => line.getAttribute('stroke-width')),
      ['4'],
      layout,
    );
    // From left to right, and not up or down.
    assert.match(lines[0]?.getAttribute('d') ?? '', /^M-?[\d.]+,-?[\d.]+(?:h-?[\d.]+)+$/, layout);
  }
});

test('a curve that stays at zero is labelled in each facet in which it does', () => {
  for (const [layout, drawing] of drawings('intervals', 'Beside grpc-js’s own balancer, HAProxy and kuberesolver'))
    assert.equal(labelsOf(drawing).filter((label) => label === 'grpc-js: it never happens').length, 2, layout);
});

test('each entry of each legend is ours, and says so, or is a rival', () => {
  const legends = [...document.querySelectorAll('.drawing')].map((drawing) => [
    ...legendOf(drawing as unknown as Drawing).keys(),
  ]);
  const entries = legends.flat();
  assert.ok(entries.length > 50, `${entries.length} entries`);
  assert.deepEqual(
    entries.filter((entry) => !/^ours\b/.test(entry) && !RIVALS.test(entry)),
    [],
  );
});

test('one pod is "1 pod"', () => {
  assert.match(text, /Over 1 pod our default balancer/);
  assert.doesNotMatch(text, /\b1 pods\b/);
});

test('the report names one cost of a poll, and explains it', () => {
  const costs = text.match(/[^.]*\bpoll costs [\d.]+ [mµ]?s\b[^.]*/g) ?? [];
  assert.equal(costs.length, 1, costs.join('; '));
  const dns = document.querySelector('#dns')?.textContent ?? '';
  assert.match(
    dns,
    /One poll costs [\d.]+ ms of CPU \(95 %: .* with \d+ pods in the answer\. That is the CPU of a client/,
  );
  for (const [layout, drawing] of drawings('dns', 'The resolver alone: ours beside c-ares'))
    assert.deepEqual(
      labelsOf(drawing).filter((label) => /^[\d.,]+ [mµ]s$/.test(label)),
      [],
      `ratios alone, ${layout}`,
    );
});

test('the share of the bad pod is one of the calls sent', () => {
  assert.equal(drawings('tail', 'Share of the calls that are sent to the bad pod').length, LAYOUTS.length);
  assert.doesNotMatch(text, /share of the answered calls/i);
  assert.match(document.querySelector('#tail')?.textContent ?? '', /bad pod's share\s*\n.*of calls sent/);
});

test('every chart is a file too, with its title, its legend, and colours for light and dark', () => {
  for (const { result, section } of publishedChapters())
    for (const figure of section.figures) {
      const name = `${result.question}: ${figure.title}`;
      const svg = standalone(figure);
      assert.ok(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'), name);
      const file = parseHTML(svg).document;
      const labels = [...file.querySelectorAll('text')].map((label) => label.textContent);
      assert.equal(labels[0], figure.title);
      const legend = legendOf(parseHTML(`<div>${figure.draw(DOCUMENT)}</div>`).document as unknown as Drawing);
      for (const entry of legend.keys()) assert.ok(labels.includes(entry), `${name}: ${entry}`);
      assert.match(svg, /prefers-color-scheme:dark/, name);
    }
});
