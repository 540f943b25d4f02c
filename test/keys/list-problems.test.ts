import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { NamedList } from '../../src/config/load.ts';
import { NO_RECORDS } from '../../src/keys/definition.ts';
import {
  listFileProblems,
  refuseUnknownLists,
  unknownListsOfFile,
  unknownNamedLists,
} from '../../src/keys/list-problems.ts';

const named = (name: string): NamedList => ({
  name,
  unknown: {
    file: 'postern.yaml',
    line: 3,
    column: 5,
    severity: 'error',
    field: 'listen.denyFrom[0].list',
    message: 'listen.denyFrom[0].list names no list.',
  },
});
const TEXT = `keys: [{ id: a, type: write-only, secret: the-secret-of-a }]
addressLists:
  office: [192.0.2.1]
  good: { file: good.txt }
  bad: { file: bad.txt }
  gone: { file: gone.txt }
  far: { url: "https://lists.example/a" }
`;
const messages = (problems: readonly { readonly message: string }[]): string[] =>
  problems.map(({ message }) => message);

t.test('a name that stands for no list of the key file', async (t) => {
  const file = join(t.testdir(), 'keys.yaml');
  writeFileSync(file, TEXT);
  const { signal } = new AbortController();
  const of = { source: 'file', file, env: {}, signal } as const;
  const ask = async (names: readonly string[], change: object = {}) =>
    messages(await unknownListsOfFile(names.map(named), { ...of, ...change }));
  t.same(await ask(['office', 'good', 'gone', 'far']), [], 'whether it can be read or not');
  t.same(await ask(['office', 'ofice', 'elsewhere']), [
    'listen.denyFrom[0].list names no list: "ofice"; did you mean "office"?',
    'listen.denyFrom[0].list names no list: "elsewhere".',
  ]);
  t.same(await ask(['ofice'], { source: 'redis' }), [], 'Redis is not asked');
  t.same(await ask([], { file: join(file, 'none') }), []);
  writeFileSync(file, TEXT.replace('write-only', 'wrong'));
  t.same(await ask(['ofice']), [], 'a file with mistakes is told of where it is read');
  t.same(messages(unknownNamedLists([named('a')], NO_RECORDS)), ['listen.denyFrom[0].list names no list: "a".']);
});

t.test('with a key file, a start is refused that names a list which is not there', async (t) => {
  const source = (kind: 'file' | 'redis') => ({
    kind,
    lists: () => [{ name: 'office', up: true, entries: 1, lastSuccessAt: 0, why: null }],
  });
  t.doesNotThrow(() => refuseUnknownLists([named('office')], source('file')));
  t.doesNotThrow(() => refuseUnknownLists([], source('file')));
  t.doesNotThrow(() => refuseUnknownLists([named('x')], source('redis')), 'it may be put there');
  t.throws(() => refuseUnknownLists([named('x'), named('office'), named('y')], source('file')), {
    message:
      'postern.yaml:3:5 error listen.denyFrom[0].list names no list.\npostern.yaml:3:5 error listen.denyFrom[0].list names no list.',
  });
});

t.test('files of lists that cannot be used', async (t) => {
  const folder = t.testdir({
    'good.txt': '192.0.2.1\n',
    'bad.txt': '192.0.2.1\nnonsense\n',
    'latin.txt': Buffer.from([0xe9]),
  });
  const list = (id: string, file: string) => [id, { id, definition: { kind: 'file', file } }] as const;
  const lists = new Map([
    list('good', 'good.txt'),
    list('bad', 'bad.txt'),
    list('gone', 'gone.txt'),
    list('latin', 'latin.txt'),
  ]);
  const problems = listFileProblems(join(folder, 'keys.yaml'), { ...NO_RECORDS, lists });
  t.same(
    problems.map(({ file, line, column, severity, field }) => [file, line, column, severity, field]),
    [
      [join(folder, 'bad.txt'), 2, 1, 'error', 'addressLists.bad'],
      [join(folder, 'gone.txt'), 1, 1, 'error', 'addressLists.gone'],
      [join(folder, 'latin.txt'), 1, 1, 'error', 'addressLists.latin'],
    ],
  );
  t.match(messages(problems), [
    /^The address list bad cannot be used: /,
    'The address list gone cannot be used: the file cannot be read: ENOENT.',
    /^The address list latin cannot be used: the file cannot be read: /,
  ]);
});

t.test('only lists in files are read here', async (t) => {
  const lists = new Map([
    ['broken', { id: 'broken', invalid: 'it is not JSON' }],
    ['here', { id: 'here', definition: { kind: 'literal' as const, entries: [] } }],
  ]);
  t.same(listFileProblems('/nowhere/keys.yaml', { ...NO_RECORDS, lists }), []);
});
