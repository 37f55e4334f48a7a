/**
 * A chart of the report as one SVG file, with its title and its legend inside: for Markdown, which shows no HTML. It is
 * light or dark as the reader has it.
 */
import { parseHTML } from 'linkedom';
import { DOCUMENT, type Figure } from './chart.js';

const MARGIN = 16;
const TITLE_SIZE = 19;
const TITLE_BASE = 30;
const LEGEND_SIZE = 15;
const LEGEND_FROM = 44;
const LEGEND_ROW = 26;
const SQUARE = 14;
const GAP = 20;
/** Of the legend's type, on average; generous, because the reader's font is not known. */
const CHARACTER_WIDTH = 8.8;

interface Entry {
  readonly label: string;
  readonly colour: string;
  readonly x: number;
  readonly row: number;
}

export function standalone({ title, draw }: Figure): string {
  const { document } = parseHTML(`<!doctype html><html><body>${draw(DOCUMENT)}</body></html>`);
  const drawings = [...document.querySelectorAll('svg')];
  const drawing = drawings.reduce((a, b) => (areaOf(b) > areaOf(a) ? b : a));
  const entries = legend(document);
  const rows = Math.max(0, ...entries.map(({ row }) => row + 1));
  const head = LEGEND_FROM + rows * LEGEND_ROW;
  const width = Number(drawing.getAttribute('width'));
  const height = Number(drawing.getAttribute('height')) + head;
  drawing.setAttribute('y', String(head));
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="page" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="${LEGEND_SIZE}">
<style>${STYLE}</style>
<rect width="100%" height="100%" fill="var(--paper)"/>
<text x="${MARGIN}" y="${TITLE_BASE}" font-size="${TITLE_SIZE}" font-weight="600">${asXml(title)}</text>
${entries.map(entryXml).join('\n')}
${drawing.outerHTML}
</svg>
`;
}

interface Drawing {
  getAttribute(name: string): string | null;
}

function areaOf(drawing: Drawing): number {
  return Number(drawing.getAttribute('width')) * Number(drawing.getAttribute('height'));
}

/** Plot's swatches are HTML: a span each, a coloured square and a text. Here they are set in rows. */
function legend(document: ReturnType<typeof parseHTML>['document']): Entry[] {
  let [x, row] = [MARGIN, 0];
  return [...document.querySelectorAll('[class*="-swatch"] svg')].map((square) => {
    const label = square.parentElement?.textContent?.trim() ?? '';
    const width = SQUARE + 6 + label.length * CHARACTER_WIDTH;
    if (x > MARGIN && x + width > DOCUMENT.width - MARGIN) [x, row] = [MARGIN, row + 1];
    const entry = { label, colour: square.getAttribute('fill') ?? 'currentColor', x, row };
    x += width + GAP;
    return entry;
  });
}

function entryXml({ label, colour, x, row }: Entry): string {
  const y = LEGEND_FROM + row * LEGEND_ROW;
  return (
    `<rect x="${Math.round(x)}" y="${y}" width="${SQUARE}" height="${SQUARE}" fill="${colour}"/>` +
    `<text x="${Math.round(x) + SQUARE + 6}" y="${y + SQUARE - 2}">${asXml(label)}</text>`
  );
}

function asXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

const STYLE =
  '.page{--paper:#fff;color:#1c1e21;fill:#1c1e21}' +
  '@media(prefers-color-scheme:dark){.page{--paper:#15171a;color:#e6e8ea;fill:#e6e8ea}}';
