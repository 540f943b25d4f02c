import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';

t.test('a route with events that lists no query is told of, and nothing else', async (t) => {
  const directory = t.testdir({
    'a.yaml': `apis:
  own:
    upstream: http://127.0.0.1:9000
    paths: ["/"]
    routes:
      - { method: POST, path: /a, events: name }
      - { method: POST, path: /b, events: name, query: [ip] }
      - { method: POST, path: /c, events: name, query: [] }
      - { method: POST, path: /d }
  integration:
    upstream: http://127.0.0.1:9000
    paths: ["/other"]
    preset: segment
keys: { file: keys.yaml }
`,
  });
  const { problems, notes } = loadConfig(`${directory}/a.yaml`, {});
  t.same(
    problems.filter(({ severity }) => severity === 'note'),
    [],
  );
  const [note, ...others] = notes.map(formatProblem);
  t.match(note, /a\.yaml:6:9 note apis\.own\.routes\[0\] carries events and lists no `query`: .+\.$/);
  t.same(others, []);
  t.same(loadConfig(`${directory}/none.yaml`, {}).notes, []);
});

t.test('of routes that a document describes, or a preset has, the file says nothing', async (t) => {
  const directory = t.testdir({
    'a.yaml': `apis:
  described: { upstream: "http://127.0.0.1:9000", paths: ["/"], openapi: api.yaml }
  integration: { upstream: "http://127.0.0.1:9000", paths: ["/other"], preset: segment }
`,
    'api.yaml': 'openapi: 3.1.0\npaths: { /a: { post: { x-postern: { events: name } } } }\n',
  });
  const { config, notes } = loadConfig(`${directory}/a.yaml`, {});
  t.match(config?.apis['described']?.routes, [{ path: '/a', events: 'name' }]);
  t.same(notes, []);
});
