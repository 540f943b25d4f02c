import t from 'tap';
import { isMap, isScalar, parseDocument } from 'yaml';
import { findNode, pathOf, toPlain, unknownAliases, YAML_OPTIONS } from '../../src/config/yaml-nodes.ts';

const parse = (text: string) => parseDocument(text, YAML_OPTIONS);

/** The scalar at the path, or what is there instead. */
function at(text: string, path: readonly PropertyKey[], what: 'key' | 'value' = 'value'): unknown {
  const node = findNode(parse(text), path, what);
  return isScalar(node) ? node.value : node;
}

t.test('a file says by a directive which YAML it is, and a time is text in both', async (t) => {
  const text = 'a: yes\nb: 010\nc: 2026-01-31\n';
  t.same(parse(text).toJS(), { a: 'yes', b: 10, c: '2026-01-31' });
  t.same(parse(`%YAML 1.1\n---\n${text}`).toJS(), { a: true, b: 8, c: '2026-01-31' });
  t.same(toPlain(parse(text)), { value: { a: 'yes', b: 10, c: '2026-01-31' } });
});

t.test('no text has another type than those of JSON, whatever its tag', async (t) => {
  for (const tag of ['timestamp', 'binary', 'omap', 'pairs', 'set'])
    for (const version of ['', '%YAML 1.1\n---\n']) {
      const document = parse(`${version}a: !!${tag} x\n`);
      t.ok(document.errors.length + document.warnings.length > 0, `${tag} ${version}`);
    }
  const other = parse('%YAML 1.1\n---\na: 2026-01-31\nb: 2026-01-31T12:00:00Z\n');
  t.strictSame(other.toJS(), { a: '2026-01-31', b: '2026-01-31T12:00:00Z' });
});

t.test('a field that only looks like a merge is none', async (t) => {
  const text = 'base: &b { port: 1 }\nlist: [{ other: *b, host: x }]\n';
  t.equal(String(at(text, ['list', 0, 'port'])), String(at(text, ['list', 0])));
});

t.test('a path leads through lists, aliases and merges; a field of its own comes first', async (t) => {
  const text = 'base: &b { port: 1, host: a }\nother: &o { host: c, last: z }\nlist: [*b, { <<: [*b, *o], host: x }]\n';
  t.equal(at(text, ['list', 0, 'port']), 1);
  t.equal(at(text, ['list', 1, 'port']), 1);
  t.equal(at(text, ['list', 1, 'host']), 'x');
  t.equal(at(text, ['list', 1, 'last']), 'z');
  t.equal(at(text, ['list', 1, 'last'], 'key'), 'last');
});

t.test('a path that goes further than the file ends at what is there', async (t) => {
  t.equal(at('a: { b: 1 }', ['a', 'b', 'c']), 1);
  t.equal(at('a:\n  b: 1', ['a', 'b', 'c'], 'key'), 1);
  t.equal(at('a:\n', ['a']), null);
  for (const merged of ['x', '[x, [y]]', '~', '*none']) {
    const node = findNode(parse(`a: { <<: ${merged}, b: 1 }`), ['a', 'c'], 'value');
    t.equal(isMap(node) && node.items.length, 2, `${merged} holds no field`);
  }
  t.equal(String(at('a: { b: 1 }', ['a', 'x'])), '{"b":1}');
});

t.test('the way to a node is its path', async (t) => {
  const document = parse('a: [x, { b: y }]');
  const list = findNode(document, ['a'], 'value') as { items: { items: unknown[] }[] };
  const [pair] = (document.contents as unknown as { items: unknown[] }).items;
  const [, map] = list.items;
  t.same(pathOf([document, document.contents, pair, list, map, map?.items[0], null]), ['a', 1, 'b']);
});

t.test('an alias has to follow its anchor', async (t) => {
  t.same(unknownAliases(parse('a: &x 1\nb: *x')), []);
  t.same(unknownAliases(parse('a: *x\nb: &x 1')), [3]);
});
