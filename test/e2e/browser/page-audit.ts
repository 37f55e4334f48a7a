/**
 * What can be measured of a page's looks, as sentences about what is wrong: text that lies on other text, text whose
 * contrast is too low, text that is too small, and what is wider than the window. An empty list is a page without such
 * faults. Only what is visible counts.
 */
import type { Page } from 'playwright-core';

export interface AuditOptions {
  /** WCAG's ratio of luminances; its level AA asks for 4.5. */
  readonly minContrast: number;
  /** As rendered, in CSS pixels. */
  readonly minFontPx: number;
}

export function auditPage(page: Page, options: AuditOptions): Promise<string[]> {
  return page.evaluate(audit, options);
}

/** What the page's functions need of the browser's types. */
interface PageElement {
  readonly tagName: string;
  readonly parentElement: PageElement | null;
  readonly textContent: string;
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string }>;
  readonly ownerSVGElement?: PageElement | null;
  closest(selector: string): PageElement | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  compareDocumentPosition(other: PageElement): number;
  checkVisibility(): boolean;
  getBBox(): { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  getScreenCTM(): Record<'a' | 'b' | 'c' | 'd' | 'e' | 'f', number>;
  getBoundingClientRect(): { readonly width: number; readonly left: number; readonly right: number };
}

declare const document: PageElement & { readonly documentElement: PageElement & { readonly scrollWidth: number } };
declare const innerWidth: number;
declare function getComputedStyle(element: PageElement): Record<string, string> & { readonly fill: string };

/** Runs in the page: it may use nothing from outside of itself. */
function audit({ minContrast, minFontPx }: AuditOptions): string[] {
  interface Box {
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  }
  type Colour = readonly [red: number, green: number, blue: number, alpha: number];

  const faults: string[] = [];
  const words = (element: PageElement): string => `"${element.textContent.trim().slice(0, 40)}"`;

  const boxOf = (element: PageElement): Box => {
    const { x, y, width, height } = element.getBBox();
    const { a, b, c, d, e, f } = element.getScreenCTM();
    const corners = [
      [x, y],
      [x + width, y],
      [x, y + height],
      [x + width, y + height],
    ].map(([px = 0, py = 0]) => [a * px + c * py + e, b * px + d * py + f] as const);
    const [xs, ys] = [corners.map(([cx]) => cx), corners.map(([, cy]) => cy)];
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  };
  // A line of text is higher than its letters.
  const letters = ({ left, right, top, bottom }: Box): Box => {
    const inset = (bottom - top) * 0.15;
    return { left, right, top: top + inset, bottom: bottom - inset };
  };
  const overlap = (one: Box, other: Box): boolean =>
    one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

  const colourOf = (text: string): Colour => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return text === 'none' || text === 'transparent' ? [0, 0, 0, 0] : [red, green, blue, alpha];
  };
  const over = ([r, g, b, alpha]: Colour, [R, G, B]: Colour): Colour => [
    r * alpha + R * (1 - alpha),
    g * alpha + G * (1 - alpha),
    b * alpha + B * (1 - alpha),
    1,
  ];
  const luminance = ([red, green, blue]: Colour): number => {
    const [r = 0, g = 0, b = 0] = [red, green, blue].map((channel) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one: Colour, other: Colour): number => {
    const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const pageColour = (element: PageElement): Colour => {
    for (let at: PageElement | null = element; at; at = at.parentElement) {
      const colour = colourOf(getComputedStyle(at)['backgroundColor'] ?? '');
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255, 1];
  };
  const shapes = (svg: PageElement): { element: PageElement; box: Box; colour: Colour }[] =>
    [...svg.querySelectorAll('rect')].flatMap((element) => {
      const colour = colourOf(getComputedStyle(element).fill);
      return colour[3] === 1 ? [{ element, box: boxOf(element), colour }] : [];
    });
  const judge = (element: PageElement, ink: Colour, paper: Colour): void => {
    const ratio = contrast(over(ink, paper), paper);
    if (ratio < minContrast) faults.push(`${words(element)} has a contrast of ${ratio.toFixed(2)}`);
  };
  const judgeSize = (element: PageElement, px: number): void => {
    if (px < minFontPx - 0.01) faults.push(`${words(element)} is ${px.toFixed(1)} px high`);
  };

  const outermost = [...document.querySelectorAll('svg')].filter(
    (svg) => !svg.ownerSVGElement && svg.checkVisibility(),
  );
  for (const svg of outermost) {
    const frame = svg.getBoundingClientRect();
    const under = shapes(svg);
    const texts = [...svg.querySelectorAll('text')]
      .filter((element) => element.textContent.trim() !== '')
      .map((element) => ({ element, box: boxOf(element) }));
    for (const [index, { element, box }] of texts.entries()) {
      for (const other of texts.slice(index + 1))
        if (overlap(letters(box), letters(other.box))) faults.push(`${words(element)} lies on ${words(other.element)}`);
      if (box.left < frame.left - 0.5 || box.right > frame.right + 0.5)
        faults.push(`${words(element)} runs out of its chart`);
      const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      // Painted before the text, and below its middle; the last one is on top. 4: the text follows in the document.
      const behind = under.filter(
        ({ element: shape, box: area }) =>
          overlap(area, { left: x, right: x + 0.01, top: y, bottom: y + 0.01 }) &&
          (shape.compareDocumentPosition(element) & 4) !== 0,
      );
      const style = getComputedStyle(element);
      judge(element, colourOf(style.fill), behind.at(-1)?.colour ?? pageColour(svg));
      judgeSize(element, Number.parseFloat(style['fontSize'] ?? '') * Math.abs(element.getScreenCTM().a));
    }
  }
  for (const element of document.querySelectorAll('body, body *')) {
    const hasWords = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!hasWords || element.closest('svg') || /^(?:STYLE|SCRIPT)$/.test(element.tagName) || !element.checkVisibility())
      continue;
    const style = getComputedStyle(element);
    judge(element, colourOf(style['color'] ?? ''), pageColour(element));
    judgeSize(element, Number.parseFloat(style['fontSize'] ?? ''));
  }
  const { scrollWidth } = document.documentElement;
  // An SVG file has no body, and is as wide as it says.
  if (document.querySelector('body') && scrollWidth > innerWidth)
    faults.push(`the page is ${scrollWidth} px wide in a window of ${innerWidth} px`);
  return faults;
}
