import t from 'tap';
import { z } from 'zod';
import { readInput, type Operation } from '../../src/admin/operation.ts';
import { choice, SECRET, text, whole } from '../../src/config/values.ts';

const Order = z.strictObject({
  size: whole(1, 9),
  colour: choice(['red', 'green']).default('red'),
  names: z.array(text()).default([]),
  secret: z.string({ error: 'must be text' }).max(8, { error: 'must be short' }).meta(SECRET).optional(),
});

const read = (input: unknown) => readInput(Order, input);

/** What was found, or nothing when it was taken. */
function told(input: unknown): readonly string[] {
  const result = read(input);
  return result.ok ? [] : (result.problem.findings ?? []).map(({ message }) => message);
}

t.test('what is well sent is taken with its defaults, and is not changed itself', async (t) => {
  const sent = { size: 3 };
  t.strictSame(read(sent), { ok: true, value: { size: 3, colour: 'red', names: [] } });
  t.strictSame(sent, { size: 3 });
});

t.test('every mistake is told at once, each with its field, and the first is the detail', async (t) => {
  const findings = [
    { field: 'size', message: 'size must be a whole number from 1 to 9; it is 10.' },
    { field: 'colour', message: 'colour must be one of "red", "green"; it is "gren"; did you mean "green"?' },
    { field: 'names[1]', message: 'names[1] must be text that is not empty; it is "".' },
    { field: 'sise', message: 'sise is not a known field; did you mean "size"?' },
  ];
  t.strictSame(read({ size: 10, colour: 'gren', names: ['a', ''], sise: 1 }), {
    ok: false,
    problem: { code: 'invalid_request', detail: findings[0]?.message, findings },
  });
});

t.test('what has another shape altogether, or was not sent, is told in one sentence', async (t) => {
  t.same(told(undefined), ['It is missing: it must be an object with fields.']);
  t.same(told(null), ['It must be an object with fields; it is null.']);
  t.same(told([{ size: 1 }]), ['It must be an object with fields; it is a list.']);
  t.same(told('{"secret":"hunter2"}'), ['It must be an object with fields.'], 'there may be a secret in it');
});

t.test('a secret is never sent back, whatever is wrong with it', async (t) => {
  t.same(told({ size: 1, secret: 'hunter2-hunter2' }), ['secret must be short.']);
  t.same(told({ size: 1, secret: ['hunter2'] }), ['secret must be text; it is a list.']);
  t.same(told({ size: 1, secret: 12_345 }), ['secret must be text.']);
});

t.test('names that every object knows by itself are not taken for fields', async (t) => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const sent: unknown = JSON.parse(`{ "size": 1, "${name}": { "colour": "green" } }`);
    t.match(told(sent), [new RegExp(`^${name} is not a known field`)], name);
  }
  t.match(told(JSON.parse('{ "__proto__": { "size": 1 } }')), [/^size is missing/, /^__proto__ is not/]);
});

t.test('a long value is shown in part', async (t) => {
  const [message = ''] = told({ size: 1, colour: 'x'.repeat(100_000) });
  t.match(message, /it is "x{64}\.\.\."\.$/);
});

t.test('an operation that does not say who may ask for it is none', async (t) => {
  const undeclared = {
    method: 'GET',
    path: '/api/new',
    operationId: 'new',
    summary: 'New.',
    success: { status: 204, schema: null },
    problems: [],
    handle: () => ({ status: 204 }),
  } as const;
  // @ts-expect-error -- `access` is missing
  const operation: Operation = undeclared;
  t.notOk('access' in operation);
  const declared: Operation = { ...undeclared, access: 'editor' };
  t.equal(declared.access, 'editor');
});
