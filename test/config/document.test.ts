import fs, { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { readText, readYamlFile, readYamlText, resolveFrom } from '../../src/config/document.ts';
import type { JsonSchema } from '../../src/config/json-schema.ts';
import { formatProblem } from '../../src/config/problem.ts';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    port: { type: 'integer' },
    ratio: { anyOf: [{ type: 'number' }, { type: 'null' }] },
    on: { type: 'boolean' },
    text: { type: 'string' },
    either: { type: ['string', 'integer'] },
    maybe: { type: ['string', 'null'] },
    list: { type: 'array', items: { type: 'object', properties: { port: { type: 'integer' } } } },
  },
};
const read = (text: string, env = {}) => readYamlText(text, { file: 'x.yaml', env, schema });
const valueOf = (text: string, env = {}) => read(text, env).content?.value;

t.test('a text with references becomes what the schema wants', async (t) => {
  const env = { PORT: '8080', ON: 'TRUE', RATIO: '0.5', DIGITS: '123' };
  t.same(valueOf('port: ${PORT}', env), { port: 8080 });
  t.same(valueOf('port: "${PORT}"', env), { port: 8080 }, 'quotes are needed inside { }, so they change nothing');
  t.same(valueOf('on: ${ON}', env), { on: true });
  t.same(valueOf('ratio: ${RATIO}', env), { ratio: 0.5 });
  t.same(valueOf('text: ${DIGITS}', env), { text: '123' }, 'text stays text');
  t.same(valueOf('list: [{ port: "${PORT}" }]', env), { list: [{ port: 8080 }] });
  t.same(valueOf('port: "8080"'), { port: '8080' }, 'without a reference nothing is converted');
  t.same(valueOf('port: ${X:-0x10}'), { port: '0x10' }, 'only plain decimals are numbers');
});

t.test('an unquoted value that comes out empty is null where null may stand', async (t) => {
  t.same(valueOf('maybe: ${X:-}'), { maybe: null });
  t.same(valueOf('maybe: ${X:-null}'), { maybe: null });
  t.same(valueOf('maybe: "${X:-}"'), { maybe: '' });
  t.same(valueOf('text: ${X:-}'), { text: '' });
});

t.test('a reference never changes the structure', async (t) => {
  const env = { EVIL: 'x\nport: 1', LIST: '[1, 2]', MAP: '{ port: 1 }', TAG: '!!int 1', ALIAS: '*a', KEY: 'port' };
  t.same(valueOf('text: ${EVIL}', env), { text: 'x\nport: 1' });
  for (const name of ['LIST', 'MAP', 'TAG', 'ALIAS'] as const)
    t.same(valueOf(`text: \${${name}}`, env), { text: env[name] });
  t.same(valueOf('${KEY}: 1', env), { '${KEY}': 1 }, 'names of fields are left alone');
});

t.test('anchors, aliases and merges are located where their fields stand', async (t) => {
  const file = read('list:\n  - &a { port: 1 }\n  - { <<: *a, text: x }\n  - *a\n');
  t.same(file.content?.value, { list: [{ port: 1 }, { port: 1, text: 'x' }, { port: 1 }] });
  t.same(file.locate(['list', 1, 'port']), { line: 2, column: 16 });
  t.same(file.locate(['list', 1, 'text']), { line: 3, column: 21 });
  t.same(file.locate(['list', 2, 'port']), { line: 2, column: 16 });
  t.same(file.locate(['list', 1, 'text'], 'key'), { line: 3, column: 15 });
  t.same(file.locate(['list', 0, 'missing']), { line: 2, column: 8 }, 'what is missing, at what should hold it');
});

t.test('an alias without an anchor before it is told where it stands', async (t) => {
  const at = (text: string) => readYamlText(text, { file: 'x.yaml', env: {}, schema: {} }).problems.map(formatProblem);
  const why = 'error This alias names no anchor that stands before it.';
  t.same(at('a: *nope'), [`x.yaml:1:4 ${why}`]);
  t.same(at('a: *later\nb: &later 1\nc: [*nope]'), [`x.yaml:1:4 ${why}`, `x.yaml:3:5 ${why}`]);
});

t.test('aliases that unfold into too much are refused', async (t) => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe'])
    lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`);
  const file = read(lines.join('\n'));
  t.equal(file.content, null);
  t.match(file.problems, [{ message: /anchors too often/ }]);
});

t.test('a __proto__ field is a field like others', async (t) => {
  const value = valueOf('__proto__: { port: 1 }') as object;
  t.ok(Object.hasOwn(value, '__proto__'));
  t.equal(Object.getPrototypeOf(value), Object.prototype);
});

t.test('messages never quote the file', async (t) => {
  for (const text of ['a: "hunter2', 'a: b: hunter2', '- hunter2\nb: c', 'a: *hunter2', '"\\q hunter2"', '}hunter2'])
    t.notMatch(JSON.stringify(read(text).problems), /hunter2/, text);
});

t.test('mistakes that follow from another are not told', async (t) => {
  t.equal(read('a: [}\nb: ]\nc: "').problems.length, 1);
  t.equal(read('a: 1\na: 2\na: 3').problems.length, 2, 'but each repeated field is');
});

t.test('files', async (t) => {
  const directory = t.testdir({ 'a.yaml': 'text: ${file:sub/secret}\n', sub: { secret: 's3cret\n' }, 'bad.yaml': '' });
  const options = { env: {}, schema };
  const file = readYamlFile({ ...options, file: join(directory, 'a.yaml') });
  t.same(file.content?.value, { text: 's3cret' }, 'a path is relative to the file that names it');
  t.same(file.files, [join(directory, 'a.yaml'), join(directory, 'sub/secret')]);
  t.equal(file.isWrittenHere(['text']), false);
  writeFileSync(join(directory, 'bad.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]));
  t.match(readYamlFile({ ...options, file: join(directory, 'bad.yaml') }).problems, [{ message: /not UTF-8/ }]);
  t.match(readYamlFile({ ...options, file: join(directory, 'none') }).problems, [{ message: /does not exist/ }]);
  t.match(readYamlFile({ ...options, file: directory }).problems, [{ message: /is a directory/ }]);
  t.equal(resolveFrom('/etc/postern.yaml', 'keys.yaml'), '/etc/keys.yaml');
  t.equal(resolveFrom('conf/postern.yaml', '/run/keys.yaml'), '/run/keys.yaml');
});

t.test('an escaped reference is a literal in every value, beside a reference or alone', async (t) => {
  const text = ['a: $${HOME}', 'b: "$${HOME} ${NAME}"', 'c:', '  - $${X}', 'd: "${ESCAPED}"', ''].join('\n');
  const env = { NAME: 'value', ESCAPED: '$${HOME}' };
  const { content, problems } = readYamlText(text, { file: 'f.yaml', env, schema: {} });
  t.same(problems, []);
  t.same(content?.value, { a: '${HOME}', b: '${HOME} value', c: ['${X}'], d: '$${HOME}' });
});

t.test('only what is wholly of the wanted form is taken for it', async (t) => {
  const ported = (PORT: string) => valueOf('port: ${PORT}', { PORT });
  t.same(ported('9'), { port: 9 });
  t.same(ported('-19'), { port: -19 });
  for (const text of ['80x', 'x80', '007', '1e3', '1.', '.5', ' 80', '+1']) t.strictSame(ported(text), { port: text });
  for (const ON of ['xtrue', 'truex', 'yes', '1']) t.strictSame(valueOf('on: ${ON}', { ON }), { on: ON });
  t.strictSame(valueOf('on: ${ON}', { ON: 'False' }), { on: false });
  t.strictSame(valueOf('either: ${N}', { N: '5' }), { either: '5' }, 'text, where text may stand');
});

t.test('what cannot be resolved is named, with its place in a list too', async (t) => {
  const file = read('text: ${NOPE}\nlist: [a, { port: "${NOPE}" }, "${NOPE}"]\n');
  const names = ['text', 'list[1].port', 'list[2]'];
  t.same(file.unresolved, new Set(names));
  t.same(
    file.problems.map(({ field, line, column }) => [field, line, column]),
    [
      ['text', 1, 7],
      ['list[1].port', 2, 19],
      ['list[2]', 2, 32],
    ],
  );
});

t.test('a field without a value is where its name stands', async (t) => {
  const file = read('text: x\nlist:\n');
  t.same(file.locate(['list']), { line: 2, column: 1 });
  t.same(file.locate(['text']), { line: 1, column: 7 });
  t.same(file.locate(['text'], 'key'), { line: 1, column: 1 });
});

t.test('a tag makes nothing of what it stands before', async (t) => {
  for (const value of ['!!omap [port: 1]', '!!set { port: null }', '!!binary eA==', '!!timestamp 2026-01-31', '!own x'])
    for (const version of ['', '%YAML 1.1\n---\n']) {
      const { content, problems } = read(`${version}list: ${value}\n`);
      t.equal(content, null, value);
      t.match(problems, [{ message: 'Tags such as "!name" have no meaning here; remove it.' }], value);
    }
  t.same(valueOf('text: !!str 5\nport: !!int "5"\n'), { text: '5', port: 5 }, 'those of JSON say what they say');
});

t.test('a mistake stands where it begins', async (t) => {
  const at = (text: string) => read(text).problems.map(({ line, column }) => [line, column]);
  t.same(at('a: 1\na: 2\n'), [[2, 1]]);
  t.same(at('a: 1\nb: !tag x\n'), [[2, 4]]);
  t.same(at('a: [1\nb: 2\n').length, 1);
});

t.test('an escape can make a reference, too', async (t) => {
  t.same(valueOf('text: "\\x24{NAME}"', { NAME: 'x' }), { text: 'x' });
  t.same(valueOf('text: "$\\\n  {NAME}"', { NAME: 'x' }), { text: 'x' });
  const own = readYamlText('text: ${NAME}\n', { file: 'x.yaml', env: null, schema });
  t.same(own.content?.value, { text: '${NAME}' }, 'in a file of others none is one');
});

t.test('why a file cannot be read', async (t) => {
  const { openSync } = fs;
  t.teardown(() => {
    fs.openSync = openSync;
    syncBuiltinESMExports();
  });
  const why = (code: string | undefined): unknown => {
    fs.openSync = () => {
      throw Object.assign(new Error('refused'), code === undefined ? {} : { code });
    };
    syncBuiltinESMExports();
    return readText('x');
  };
  for (const [code, text] of [
    ['ENOENT', 'it does not exist'],
    ['EACCES', 'permission is denied'],
    ['EPERM', 'permission is denied'],
    ['EISDIR', 'it is a directory'],
    ['ENOTREG', 'it is a pipe, whose writer would be waited for'],
    ['EIO', 'EIO'],
    [undefined, 'the reason is unknown'],
  ] as const)
    t.same(why(code), { why: text });
});
