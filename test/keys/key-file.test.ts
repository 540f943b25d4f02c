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
