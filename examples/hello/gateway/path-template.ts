/**
 * Path templates of google/api/http.proto, as grpc-gateway reads them:
 *
 *     Template = "/" Segments [ Verb ] ;
 *     Segments = Segment { "/" Segment } ;
 *     Segment  = "*" | "**" | LITERAL | Variable ;
 *     Variable = "{" FieldPath [ "=" Segments ] "}" ;
 *     Verb     = ":" LITERAL ;
 *
 * As in grpc-gateway, segments may follow the one "**".
 */

type Segment = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'one' | 'many' };

/** A field of the request, and the segments that it takes its value from: `from` up to, not including, `to`. */
export interface PathVariable {
  readonly fieldPath: string;
  readonly from: number;
  readonly to: number;
}

export class PathTemplate {
  readonly text: string;
  readonly variables: readonly PathVariable[];
  readonly #segments: readonly Segment[];
  readonly #verb: string;
  /** Of the segment `**`; -1 without one. */
  readonly #many: number;

  /** @throws {SyntaxError} for what is no template; it names the template and what is wrong. */
  constructor(text: string) {
    const parser = new TemplateParser(text);
    parser.parse();
    this.text = text;
    this.variables = parser.variables;
    this.#segments = parser.segments;
    this.#verb = parser.verb;
    this.#many = parser.segments.findIndex(({ kind }) => kind === 'many');
  }

  /**
   * @param components of the path, decoded: `/a/b` is `['a', 'b']`.
   * @returns the value of each variable, by its field path; null if the path does not match.
   */
  match(components: readonly string[]): Map<string, string> | null {
    const parts = this.#withoutVerb(components);
    if (parts === null) return null;
    const surplus = parts.length - this.#segments.length;
    if (this.#many < 0 ? surplus !== 0 : surplus < -1) return null;
    /** Where a segment's components start. */
    const start = (segment: number): number => (this.#many >= 0 && segment > this.#many ? segment + surplus : segment);
    for (const [index, segment] of this.#segments.entries())
      if (segment.kind === 'literal' && parts[start(index)] !== segment.text) return null;
    return new Map(
      this.variables.map(({ fieldPath, from, to }) => [fieldPath, parts.slice(start(from), start(to)).join('/')]),
    );
  }

  #withoutVerb(components: readonly string[]): readonly string[] | null {
    if (this.#verb === '') return components;
    const last = components.at(-1) ?? '';
    const suffix = `:${this.#verb}`;
    // There has to be something before the verb.
    if (!last.endsWith(suffix) || last.length === suffix.length) return null;
    return [...components.slice(0, -1), last.slice(0, -suffix.length)];
  }
}

/** RFC 3986's pchar, without percent-encoding: paths are decoded before they are compared. */
const LITERAL = /^[A-Za-z0-9._~!$&'()*+,;=:@-]+$/;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

class TemplateParser {
  readonly segments: Segment[] = [];
  readonly variables: PathVariable[] = [];
  verb = '';
  readonly #text: string;
  #rest: string;

  constructor(text: string) {
    this.#text = text;
    this.#rest = text;
  }

  parse(): void {
    if (!this.#accept('/')) this.#fail('does not start with "/"');
    this.#takeVerb();
    if (this.#rest === '') this.segments.push({ kind: 'literal', text: '' });
    else this.#parseSegments(false);
    if (this.#rest !== '') this.#fail(`has "${this.#rest}" after its segments`);
    if (this.segments.filter(({ kind }) => kind === 'many').length > 1) this.#fail('has more than one "**"');
    const paths = this.variables.map(({ fieldPath }) => fieldPath);
    const twice = paths.find((path, index) => paths.indexOf(path) !== index);
    if (twice !== undefined) this.#fail(`has the variable "${twice}" twice`);
  }

  /** After a variable the verb begins at the first colon, otherwise at the last: `{id}:a:b` has the verb `a:b`. */
  #takeVerb(): void {
    const end = this.#rest.lastIndexOf('}') + 1;
    const last = Math.max(end, this.#rest.lastIndexOf('/') + 1);
    const tail = this.#rest.slice(last);
    const colon = last === end && end > 0 ? tail.indexOf(':') : tail.lastIndexOf(':');
    if (colon < 0) return;
    this.verb = tail.slice(colon + 1);
    if (!LITERAL.test(this.verb)) this.#fail(`has the verb "${this.verb}", which is no literal`);
    this.#rest = this.#rest.slice(0, last + colon);
  }

  #parseSegments(inVariable: boolean): void {
    do this.#parseSegment(inVariable);
    while (this.#accept('/'));
  }

  #parseSegment(inVariable: boolean): void {
    if (this.#rest.startsWith('{')) {
      if (inVariable) this.#fail('has a variable in a variable');
      this.#parseVariable();
      return;
    }
    const text = this.#take(/^[^/{}]*/);
    if (text === '*') this.segments.push({ kind: 'one' });
    else if (text === '**') this.segments.push({ kind: 'many' });
    else if (LITERAL.test(text)) this.segments.push({ kind: 'literal', text });
    else this.#fail(text === '' ? 'has an empty segment' : `has the segment "${text}", which is no literal`);
  }

  #parseVariable(): void {
    this.#accept('{');
    const fieldPath = this.#take(/^[^=}/{]*/);
    if (!fieldPath.split('.').every((name) => IDENTIFIER.test(name)))
      this.#fail(`has the variable "${fieldPath}", which is no path of fields`);
    const from = this.segments.length;
    if (this.#accept('=')) this.#parseSegments(true);
    else this.segments.push({ kind: 'one' });
    if (!this.#accept('}')) this.#fail(`does not close the variable "${fieldPath}" with "}"`);
    this.variables.push({ fieldPath, from, to: this.segments.length });
  }

  #accept(token: string): boolean {
    if (!this.#rest.startsWith(token)) return false;
    this.#rest = this.#rest.slice(token.length);
    return true;
  }

  #take(pattern: RegExp): string {
    const [taken = ''] = pattern.exec(this.#rest) ?? [];
    this.#rest = this.#rest.slice(taken.length);
    return taken;
  }

  #fail(problem: string): never {
    throw new SyntaxError(`the path template "${this.#text}" ${problem}`);
  }
}
