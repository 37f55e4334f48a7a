import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PathTemplate } from '../../examples/hello/gateway/path-template.js';

/** The variables of a template for a path; null if it does not match. */
function match(template: string, path: string): Record<string, string> | null {
  const variables = new PathTemplate(template).match(path.slice(1).split('/'));
  return variables && Object.fromEntries(variables);
}

test('literals, wildcards and variables match segment by segment', () => {
  assert.deepEqual(match('/v1/hi', '/v1/hi'), {});
  assert.equal(match('/v1/hi', '/v1/hi/'), null);
  assert.equal(match('/v1/hi', '/v1'), null);
  assert.deepEqual(match('/v1/*/x', '/v1/a/x'), {});
  assert.deepEqual(match('/v1/{name}', '/v1/a'), { name: 'a' });
  assert.deepEqual(match('/v1/{a.b}/{c}', '/v1/1/2'), { 'a.b': '1', c: '2' });
  assert.deepEqual(match('/v1/{name=shelves/*/books/*}', '/v1/shelves/1/books/2'), { name: 'shelves/1/books/2' });
  assert.equal(match('/v1/{name=shelves/*}', '/v1/desks/1'), null);
  assert.deepEqual(match('/', '/'), {});
});

test('** takes any number of segments, and segments may follow it', () => {
  assert.deepEqual(match('/v1/{name=**}', '/v1/a/b/c'), { name: 'a/b/c' });
  assert.deepEqual(match('/v1/{name=**}', '/v1'), { name: '' });
  assert.deepEqual(match('/v1/{name=a/**}/raw/{id}', '/v1/a/b/c/raw/7'), { name: 'a/b/c', id: '7' });
  assert.equal(match('/v1/{name=**}/raw', '/v1'), null);
});

test('a verb is the end of the last segment', () => {
  assert.deepEqual(match('/v1/{id}:cancel', '/v1/7:cancel'), { id: '7' });
  assert.equal(match('/v1/{id}:cancel', '/v1/7'), null);
  assert.equal(match('/v1/{id}:cancel', '/v1/:cancel'), null);
  assert.deepEqual(match('/v1/{id}', '/v1/7:cancel'), { id: '7:cancel' });
  assert.deepEqual(match('/v1/{id}:a:b', '/v1/7:a:b'), { id: '7' });
  assert.deepEqual(match('/v1/all:cancel', '/v1/all:cancel'), {});
});

test('what is no template is refused with a message that names it', () => {
  for (const [template, problem] of [
    ['v1', /"v1" does not start with "\/"/],
    ['/v1//x', /has an empty segment/],
    ['/v1/', /has an empty segment/],
    ['/v1/{a', /does not close the variable "a"/],
    ['/v1/{}', /has the variable "", which is no path of fields/],
    ['/v1/{1a}', /has the variable "1a"/],
    ['/v1/{a={b}}', /has a variable in a variable/],
    ['/v1/{a}{b}', /has "\{b\}" after its segments/],
    ['/v1/a b', /has the segment "a b", which is no literal/],
    ['/v1/**/x/{a=**}', /has more than one "\*\*"/],
    ['/v1/{a}/{a}', /has the variable "a" twice/],
    ['/v1/{a}:', /has the verb ""/],
  ] as const)
    assert.throws(() => new PathTemplate(template), problem, template);
});

const literal = fc.stringMatching(/^[a-z0-9._~-]{1,6}$/);
const verb = fc.option(literal, { nil: '' });

test('a path made from a template gives its variables back', () => {
  const segment = fc.oneof(
    literal.map((text) => ({ template: () => text, path: text, value: null })),
    literal.map((value) => ({ template: (name: string) => `{${name}}`, path: value, value })),
    fc.tuple(literal, literal).map(([prefix, value]) => ({
      template: (name: string) => `{${name}=${prefix}/*}`,
      path: `${prefix}/${value}`,
      value: `${prefix}/${value}`,
    })),
  );
  const many = fc.option(
    fc.array(literal, { maxLength: 4 }).map((parts) => ({
      template: (name: string) => `{${name}=x/**}`,
      path: ['x', ...parts].join('/'),
      value: ['x', ...parts].join('/'),
    })),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), many, fc.nat(5), verb, (segments, deep, at, end) => {
      const all = deep ? segments.toSpliced(Math.min(at, segments.length), 0, deep) : segments;
      const suffix = end === '' ? '' : `:${end}`;
      const template = `/${all.map((part, index) => part.template(`v${index}`)).join('/')}${suffix}`;
      const path = `/${all.map((part) => part.path).join('/')}${suffix}`;
      const expected = all.flatMap(({ value }, index) => (value === null ? [] : [[`v${index}`, value]]));
      assert.deepEqual(match(template, path), Object.fromEntries(expected), `${template} ${path}`);
    }),
  );
});

test('any text is a template or a SyntaxError, and a template matches any path or does not', () => {
  const text = fc.string({
    unit: fc.constantFrom('/', '{', '}', '=', '*', '.', ':', 'a', 'b', ' ', '%'),
    maxLength: 20,
  });
  fc.assert(
    fc.property(text, text, (template, path) => {
      try {
        match(`/${template}`, `/${path}`);
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error));
      }
    }),
  );
});
