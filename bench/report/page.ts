/** The page around the charts: one file, no script, nothing fetched, light or dark as the reader has it. */
import type { Machine } from '../harness/machine.js';
import { machineLine } from '../harness/machine.js';
import type { Result } from '../harness/result.js';
import { type Figure, NARROW, WIDE } from './chart.js';

/** What one question contributes. */
export interface Section {
  /** The question, as a user would ask it. */
  readonly title: string;
  /** The answer in a few sentences, each figure out of the result. Plain text. */
  readonly answer: readonly string[];
  readonly figures: readonly Figure[];
  /** All figures, for those who want them: shown folded. */
  readonly table: string;
}

export interface Chapter {
  readonly result: Result;
  readonly section: Section;
}

export function page(chapters: readonly Chapter[]): string {
  const contents = chapters
    .map(({ result, section }) => `<li><a href="#${result.question}">${asHtml(section.title)}</a></li>`)
    .join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>grpc-headless: benchmark</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>grpc-headless: benchmark</h1>
<p>What a user asks before adopting it, answered with measurements. Every figure was measured beside its rival, in the
same run, on the same machine; where a figure is an estimate from a simulation or from theory, it says so.</p>
<nav><ol>${contents}</ol></nav>
</header>
<main>
${chapters.map(chapterHtml).join('\n')}
</main>
</body>
</html>
`;
}

function chapterHtml({ result, section }: Chapter): string {
  return `<section id="${result.question}">
<h2>${asHtml(section.title)}</h2>
${section.answer.map((sentence) => `<p class="answer">${asHtml(sentence)}</p>`).join('\n')}
${section.figures.map(figureHtml).join('\n')}
<details><summary>All figures</summary><pre>${asHtml(section.table)}</pre></details>
${provenance(result)}
</section>`;
}

/** Drawn twice; the style sheet shows the one for the width of the page. */
function figureHtml(figure: Figure): string {
  const { title, caption } = figure;
  return `<figure class="chart"><h3>${asHtml(title)}</h3><div class="drawing wide">${figure.draw(WIDE)}</div>
<div class="drawing narrow">${figure.draw(NARROW)}</div>
<figcaption>${asHtml(caption)}</figcaption></figure>`;
}

function provenance({ machine, mode, note, seed, seconds, startedAt }: Result): string {
  const busy =
    machine.loadAverage > machine.cores ? ' The machine was busy with other things: take these as a draft.' : '';
  const when = startedAt.slice(0, 16).replace('T', ' ');
  return `<p class="provenance">${asHtml(`${when} UTC, ${mode} run of ${seconds} s, seed ${seed}. ${describe(machine)}.${busy}${note ? ` ${note}` : ''}`)}</p>`;
}

function describe(machine: Machine): string {
  return machineLine(machine);
}

function asHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --soft: #5c6370; --line: #dfe2e6; --panel: #f7f8f9; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15171a; --ink: #e6e8ea; --soft: #a0a7b1; --line: #33383f; --panel: #1c1f23; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 32px 24px 96px; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 23px; line-height: 1.25; margin: 56px 0 12px; padding-top: 20px; border-top: 1px solid var(--line); }
h3 { font-size: 17px; margin: 0 0 10px; }
header p, .answer { max-width: 46em; }
.answer { margin: 0 0 10px; }
a { color: inherit; }
nav ol { padding-left: 1.3em; }
figure.chart { margin: 32px 0; }
.narrow { display: none; }
@media (max-width: 860px) {
  body { padding: 20px 20px 64px; }
  .wide { display: none; }
  .narrow { display: block; }
}
.drawing > figure { margin: 0; }
.drawing svg { max-width: 100%; height: auto; }
.drawing [class*="-swatches"] { font-size: 14px !important; min-height: 30px; }
.drawing figcaption { display: none; }
figcaption { color: var(--soft); max-width: 52em; margin-top: 8px; font-size: 15px; }
details { margin: 24px 0; }
summary { cursor: pointer; }
pre { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 14px;
  font: 12px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.provenance { color: var(--soft); font-size: 14px; }
`;
