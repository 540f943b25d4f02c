import t from 'tap';
import { z } from 'zod';
import { readYamlText } from '../../src/config/document.ts';
import { findingsOf, problemsOf, type Finding } from '../../src/config/issue.ts';
import { jsonSchemaOf } from '../../src/config/json-schema.ts';
import { fieldName, formatProblem } from '../../src/config/problem.ts';
import { choice, SECRET, text, whole } from '../../src/config/values.ts';

function found(schema: z.ZodType, value: unknown): Finding[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : findingsOf(parsed.error.issues, value, jsonSchemaOf(schema));
}

const told = (schema: z.ZodType, value: unknown): string[] =>
  found(schema, value).map(({ path, message }) => `${fieldName(path)} ${message}`.trim());

t.test('what is missing is told with what it has to be', async (t) => {
  const schema = z.strictObject({ port: whole(1, 9), of: z.strictObject({ name: text() }) });
  t.same(told(schema, {}), [
    'port is missing: it must be a whole number from 1 to 9',
    'of is missing: it must be a mapping with fields',
  ]);
  t.same(told(schema, { port: undefined, of: {} }), [
    'port is missing: it must be a whole number from 1 to 9',
    'of.name is missing: it must be text that is not empty',
  ]);
});

t.test('each unknown field is a finding at its name, with the nearest field or all that are known there', async (t) => {
  const schema = z.strictObject({ list: z.array(z.strictObject({ host: text(), port: text() }).partial()) });
  t.same(found(schema, { list: [{ prot: 1, elsewhere: 1 }] }), [
    { path: ['list', 0, 'prot'], message: 'is not a known field; did you mean "port"?', atKey: true },
    { path: ['list', 0, 'elsewhere'], message: 'is not a known field; known here: host, port', atKey: true },
  ]);
});

t.test('a wrong type is told in the words of the file, not of the validator', async (t) => {
  t.same(told(z.strictObject({ a: z.strictObject({}) }), { a: ['x'] }), [
    'a must be a mapping with fields; it is a list',
  ]);
  t.same(told(z.array(text()), { a: 1 }), ['must be a list; it is a mapping']);
  t.same(told(z.boolean(), 'yes'), ['must be a boolean; it is "yes"']);
  t.same(told(z.literal('all'), 1), ['must be "all"; it is 1']);
  t.same(told(choice(['strip', 'pass']), 'stirp'), [
    'must be one of "strip", "pass"; it is "stirp"; did you mean "strip"?',
  ]);
  t.same(told(z.array(text()).min(1, { error: 'must hold one' }), []), ['must hold one']);
  t.same(told(choice(['strip', 'pass']), null), ['must be one of "strip", "pass"; it is null']);
});

t.test('a value of several possible forms is judged by the one that it was meant to have', async (t) => {
  const short = text().refine((name) => name.length < 4, { error: 'must be short' });
  const full = z.strictObject({ name: short, list: z.array(whole(0, 9), { error: 'must be a list' }).optional() });
  const schema = z.strictObject({ item: z.union([short, full], { error: 'must be a name or { name }' }) });
  t.same(told(schema, { item: 'long' }), ['item must be short; it is "long"']);
  t.same(told(schema, { item: { name: 'long', list: [1, 10] } }), [
    'item.name must be short; it is "long"',
    'item.list[1] must be a whole number from 0 to 9; it is 10',
  ]);
  const other = text().refine(() => false, { error: 'must be other' });
  t.same(told(z.union([short, other]), 'long'), ['must be short; it is "long"'], 'of equals, the first');
  t.same(told(schema, { item: 1 }), ['item must be a name or { name }; it is 1']);
  t.same(told(schema, {}), ['item is missing: it must be a name or { name }']);
  const listed = z.union([z.literal('all'), z.array(schema.shape.item)], { error: 'must be "all" or a list' });
  t.same(told(listed, [{ nam: 'x' }, 'a', 2]), [
    '[0].name is missing: it must be text that is not empty',
    '[0].nam is not a known field; did you mean "name"?',
    '[2] must be a name or { name }; it is 2',
  ]);
  t.same(told(listed, 'al'), ['must be "all" or a list; it is "al"']);
});

t.test('a secret is not shown in any form, nor is a misspelt word where one may stand', async (t) => {
  const secret = text().max(3, { error: 'must be short' }).meta(SECRET);
  t.same(told(z.strictObject({ a: secret }), { a: 'hunter2' }), ['a must be short']);
  t.same(told(z.strictObject({ a: z.array(secret) }), { a: ['hunter2'] }), ['a[0] must be short']);
  const either = z.strictObject({ a: z.union([choice(['strip']), secret], { error: 'must be one of two' }) });
  t.same(told(either, { a: 'hunter2' }), ['a must be short']);
  t.same(told(either, { a: 12_345 }), ['a must be one of two']);
});

t.test('what stands in place of secrets is not shown either: it may be one', async (t) => {
  const inside = z.strictObject({ token: text().meta(SECRET) });
  t.same(told(z.strictObject({ admin: inside }), { admin: 'hunter2' }), ['admin must be a mapping with fields']);
  t.same(told(z.strictObject({ secrets: z.array(inside) }), { secrets: 'hunter2' }), ['secrets must be a list']);
  t.same(told(z.strictObject({ secrets: z.array(inside) }), { secrets: ['hunter2'] }), [
    'secrets[0] must be a mapping with fields',
  ]);
  const either = z.strictObject({ admin: z.union([inside, z.null()], { error: 'must be a mapping or null' }) });
  t.same(told(either, { admin: 'hunter2' }), ['admin must be a mapping or null']);
});

t.test('of very many unknown fields a few are told, and how many more there are', async (t) => {
  const sent = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`field-${n}`, 1]));
  const messages = told(z.strictObject({ of: z.strictObject({ field: text().optional() }) }), { of: sent });
  t.equal(messages.length, 21);
  t.equal(messages.at(-1), 'of holds 980 more fields that are not known');
});

t.test('what is shown is short, on one line and without the credentials of a URL', async (t) => {
  const schema = z.string().refine(() => false, { error: 'must be other' });
  t.same(told(schema, 'redis://user:hunter2/@b@host/1'), ['must be other; it is "redis://***@host/1"']);
  t.same(told(schema, `https://u:hunter2${'x'.repeat(100)}@host`), ['must be other; it is "https://***@host"']);
  for (const [url, shown] of Object.entries({
    'http:/user:hunter2@host': '***@host',
    'user:hunter2@host': '***@host',
    'redis:user:hunter2@host': '***@host',
    'a@b:hunter2@host': '***@host',
  }))
    t.same(told(schema, url), [`must be other; it is "${shown}"`], url);
  t.same(told(schema, 'x'.repeat(65)), [`must be other; it is "${'x'.repeat(64)}..."`]);
  t.same(told(schema, 'x'.repeat(64)), [`must be other; it is "${'x'.repeat(64)}"`]);
  t.same(told(schema, 'a\n"b"\u001b[2K'), ['must be other; it is "a\\n\\"b\\"\\u001b[2K"']);
});

t.test('the same mistake at the same place is told once', async (t) => {
  const twice = text().regex(/^a/, { error: 'must be a' }).regex(/a$/, { error: 'must be a' });
  t.same(told(z.array(twice), ['x', 'x']), ['[0] must be a; it is "x"', '[1] must be a; it is "x"']);
});

t.test('a finding is a problem of the file at the line of its value, or of its name', async (t) => {
  const file = readYamlText('of:\n  port: x\n  prot: 1\n  list: []\n', { file: 'x.yaml', env: {}, schema: {} });
  const findings: Finding[] = [
    { path: ['port'], message: 'must be a number' },
    { path: ['prot'], message: 'is not known; did you mean "port"?', atKey: true },
    { path: ['list', 0], message: 'is missing' },
  ];
  t.same(problemsOf(findings, file, ['of']).map(formatProblem), [
    'x.yaml:2:9 error of.port must be a number.',
    'x.yaml:3:3 error of.prot is not known; did you mean "port"?',
    'x.yaml:4:9 error of.list[0] is missing.',
  ]);
  t.same(problemsOf([{ path: [], message: 'must be a list' }], file, [], 'warning').map(formatProblem), [
    'x.yaml:1:1 warning The file must be a list.',
  ]);
});

t.test('of a value whose reference leads nowhere, only that is told', async (t) => {
  const file = readYamlText('a: ${NOTHING}\nb: ${NOTHING:-x}\n', { file: 'x.yaml', env: {}, schema: {} });
  const wrong = (path: string): Finding => ({ path: [path], message: 'must be a number' });
  t.match(problemsOf([wrong('a'), wrong('b')], file), [{ field: 'b' }]);
});

t.test('a form is the one that was meant by whatever is wrong in a value of its type', async (t) => {
  const wrong: readonly (readonly [z.ZodType, unknown, string])[] = [
    [z.strictObject({ a: text().optional() }), { elsewhere: 1 }, 'elsewhere is not a known field; known here: a'],
    [z.string().min(4, { error: 'must be longer' }), 'abc', 'must be longer; it is "abc"'],
    [z.string().max(2, { error: 'must be shorter' }), 'abc', 'must be shorter; it is "abc"'],
    [z.string().regex(/^b/, { error: 'must be with b' }), 'abc', 'must be with b; it is "abc"'],
    [z.string().refine(() => false, { error: 'must be other' }), 'abc', 'must be other; it is "abc"'],
  ];
  for (const [form, value, message] of wrong)
    t.same(told(z.union([z.literal('all'), form], { error: 'must be one of two' }), value), [message]);
  t.same(told(z.union([z.literal('all'), z.literal('none')], { error: 'must be one of two' }), 'abc'), [
    'must be one of two; it is "abc"',
  ]);
});
