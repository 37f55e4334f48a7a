/** A chart of the report as one SVG file, with its title and its legend inside: for a README, which shows no HTML. */
import { parseHTML } from 'linkedom';
import type { Figure } from './chart.js';

const HEAD_HEIGHT = 66;
const MARGIN = 16;
const LEGEND_GAP = 22;
/** Of 13 px type, on average. */
const CHARACTER_WIDTH = 7.2;

export function standalone({ title, svg }: Figure): string {
  const { document } = parseHTML(`<!doctype html><html><body>${svg}</body></html>`);
  const drawings = [...document.querySelectorAll('svg')];
  const drawing = drawings.reduce((a, b) => (areaOf(b) > areaOf(a) ? b : a));
  const width = Number(drawing.getAttribute('width'));
  const height = Number(drawing.getAttribute('height')) + HEAD_HEIGHT;
  drawing.setAttribute('y', String(HEAD_HEIGHT));
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13" color="#1c1e21" fill="#1c1e21">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${MARGIN}" y="28" font-size="18" font-weight="600">${asXml(title)}</text>
${legend(document)}
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

/** Plot's swatches are HTML: a span each, a coloured square and a text. */
function legend(document: ReturnType<typeof parseHTML>['document']): string {
  let x = MARGIN;
  return [...document.querySelectorAll('[class*="-swatch"] svg')]
    .map((square) => {
      const label = square.parentElement?.textContent?.trim() ?? '';
      const colour = square.getAttribute('fill') ?? 'currentColor';
      const entry = `<rect x="${x}" y="44" width="13" height="13" fill="${colour}"/><text x="${x + 19}" y="55">${asXml(label)}</text>`;
      x += 19 + label.length * CHARACTER_WIDTH + LEGEND_GAP;
      return entry;
    })
    .join('\n');
}

function asXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
