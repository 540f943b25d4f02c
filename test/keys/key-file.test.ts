import { join } from 'node:path';
import t, { type Test } from 'tap';
import { formatProblem } from '../../src/config/problem.ts';
import { loadKeyFile } from '../../src/keys/key-file.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';

function load(t: Test, text: string, env = {}) {
  const directory = t.testdir({ 'keys.yaml': text, secret: 'from a file\n' });
  return { directory, ...loadKeyFile(join(directory, 'keys.yaml'), env) };
}

t.test('a key file', async (t) => {
  const text = [
    'keys:',
    '  - id: a',
    '    type: write-only',
    '    secret: ${A}',
    '  - id: b',
    '    type: read-write',
    '    secrets: [{ value: "${file:secret}" }]',
    '    enabled: ${ENABLED:-false}',
  ].join('\n');
  const { definitions, problems, files, directory } = load(t, text, { A: 'from the environment' });
  t.same(problems, []);
  t.same(
    definitions?.map(({ id, enabled, secrets }) => [id, enabled, secrets[0]?.hash]),
    [
      ['a', true, hashSecret('from the environment')],
      ['b', false, hashSecret('from a file')],
    ],
  );
  t.same(files, [join(directory, 'keys.yaml'), join(directory, 'secret')]);
});

t.test('no keys at all, if that is what it says', async (t) => {
  t.same(load(t, 'keys: []\n').definitions, []);
  for (const text of ['', '\n', '# keys\n', 'keys:\n', '{}\n', 'keys: {}\n', '[]', 'keys:\n  - id: a\n    type'])
    t.equal(load(t, text).definitions, null, JSON.stringify(text));
});

t.test('a mistake in one key hides none in another', async (t) => {
  const text = 'keys:\n  - { id: A, type: x }\n  - { id: b, type: y }\n  - { id: b }\n';
  const found = load(t, text).problems.map(({ line, field }) => `${line} ${field}`);
  t.same(
    new Set(found),
    new Set([
      '2 keys[0].id',
      '2 keys[0]',
      '2 keys[0].type',
      '3 keys[1]',
      '3 keys[1].type',
      '4 keys[2].id',
      '4 keys[2]',
      '4 keys[2].type',
    ]),
  );
});

t.test('a reference that fails is told once, at its line', async (t) => {
  const { problems } = load(t, 'keys:\n  - id: a\n    type: write-only\n    secret: ${NOPE}\n');
  t.match(problems.map(formatProblem), [
    /keys\.yaml:4:13 error keys\[0\]\.secret refers to the environment variable NOPE/,
  ]);
});

t.test('a policy that names a list that is not there is told of, at the policy alone', async (t) => {
  const text = `keys:
  - { id: a, type: read-only, secret: the-secret-of-a, policy: p }
policies:
  p: { allowFrom: [{ list: nowhere }] }
  q: { denyFrom: [{ list: here }] }
addressLists: { here: [192.0.2.1] }
`;
  const { problems } = load(t, text);
  t.same(
    problems.map(({ line, field }) => `${line} ${field}`),
    ['4 policies.p.allowFrom[0].list'],
  );
});

const fieldsOf = (problems: readonly { readonly line: number; readonly field: string }[]): string[] =>
  problems.map(({ line, field }) => `${line} ${field}`);

t.test('what is wrong with a policy or a list is told where it stands, and not at its keys', async (t) => {
  const text = `keys:
  - { id: a, type: read-only, secret: the-secret-of-a, policy: p }
  - { id: b, type: read-only, secret: the-secret-of-b, policy: none }
  - { id: c, type: read-only, secret: the-secret-of-c, policy: named, allowFrom: [{ list: l }, { list: none }] }
policies:
  p: { mode: none }
  Named: { mode: report }
  named: { mode: report }
addressLists:
  l: [192.0.2.1/24]
  L: [192.0.2.1]
`;
  const { definitions, records, problems, valid, wholes } = load(t, text);
  t.same(fieldsOf(problems), [
    '3 keys[1].policy',
    '4 keys[2].allowFrom[0].list',
    '4 keys[2].allowFrom[1].list',
    '6 policies.p.mode',
    '7 policies.Named',
    '10 addressLists.l[0]',
    '11 addressLists.L',
  ]);
  t.same([definitions, records.policies.size, valid, wholes], [null, 0, false, []]);
});

t.test('an API that is named has to be one, where it is known which there are', async (t) => {
  const text = `keys:
  - { id: a, type: read-only, secret: the-secret-of-a, apis: [orders, metrics, oders] }
  - { id: b, secret: the-secret-of-b, policy: p }
policies: { p: { type: read-only, apis: [nowhere] } }
`;
  const file = join(t.testdir({ 'keys.yaml': text }), 'keys.yaml');
  t.same(fieldsOf(loadKeyFile(file, {}, ['orders']).problems), ['2 keys[0].apis[2]', '4 policies.p.apis[0]']);
  const { problems, wholes, definitions } = loadKeyFile(file, {});
  t.same(problems, []);
  t.same(
    wholes.map(({ id, apis }) => [id, apis]),
    [
      ['a', ['orders', 'metrics', 'oders']],
      ['b', ['nowhere']],
    ],
  );
  t.same(
    definitions?.map(({ id }) => id),
    ['a', 'b'],
  );
});

t.test('what two keys cannot both have is told at the later, whoever says the type', async (t) => {
  const text = `keys:
  - { id: a, secret: one-secret, policy: m, apiKey: k }
  - { id: b, type: metrics, secret: another, apiKey: k }
  - { id: a, type: write-only, secret: one-secret }
  - { id: a, type: nothing, secret: the-third }
policies: { m: { type: metrics } }
`;
  t.same(fieldsOf(load(t, text).problems), [
    '3 keys[1].type',
    '4 keys[2].id',
    '4 keys[2].secret',
    '5 keys[3].id',
    '5 keys[3].type',
  ]);
});

t.test('what cannot be resolved is told beside a mistake of the file as such', async (t) => {
  const { definitions, problems } = load(t, 'kays: []\nkeys:\n  - { id: a, secret: "${NOPE}" }\n');
  t.equal(definitions, null);
  t.same(
    problems.map(({ line, field, severity }) => `${line} ${field} ${severity}`),
    ['1 kays error', '3 keys[0].secret error'],
  );
});
