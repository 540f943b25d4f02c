import { join } from 'node:path';
import t, { type Test } from 'tap';
import { drainTimes, runServe } from '../../src/commands/serve.ts';
import { capturedIo } from '../support/command-io.ts';

const API =
  'apis: { integration: { upstream: "http://127.0.0.1:9000" } }\nlisten: { port: 0, host: 127.0.0.1 }\nadmin: { port: 0 }\n';

async function serve(t: Test, files: Record<string, string>) {
  const { io, err, out } = capturedIo();
  const code = await runServe({ config: join(t.testdir(files), 'postern.yaml') }, io);
  return { code, err: err.join('\n'), out };
}

t.test('a configuration with mistakes: every finding, exit 1', async (t) => {
  const { code, err } = await serve(t, { 'postern.yaml': `${API}lisen: {}\nlog: { level: loud }\n` });
  t.equal(code, 1);
  t.match(err, /postern\.yaml:4:1 error .*lisen[\s\S]*postern\.yaml:5:\d+ error /);
  t.match(await serve(t, {}), { code: 1, err: /postern\.yaml:1:1 error The file cannot be read/ });
});

t.test('so do keys, and what they name is no secret', async (t) => {
  const keys = 'keys:\n  - { id: a, type: x, secret: a-secret-in-the-file }\n  - { id: B, type: metrics }\n';
  const { code, err } = await serve(t, { 'postern.yaml': API, 'keys.yaml': keys });
  t.equal(code, 1);
  t.match(
    err,
    /^postern cannot start: the keys cannot be used:\n.*keys\.yaml:2:\d+ error [\s\S]*keys\.yaml:3:\d+ error /,
  );
  t.notMatch(err, 'a-secret-in-the-file');
  for (const text of ['', 'keys:\n', 'keys: ['])
    t.match(await serve(t, { 'postern.yaml': API, 'keys.yaml': text }), { code: 1, err: /keys\.yaml:\d+:\d+ error / });
  t.match(await serve(t, { 'postern.yaml': API }), { code: 1, err: /keys\.yaml:1:1 error The file cannot be read/ });
});

t.test(
  'the end is announced for half of the grace, for five seconds at most, and at a terminal not at all',
  async (t) => {
    t.same(drainTimes('SIGTERM', 30_000), { announceMs: 5000, graceMs: 25_000 });
    t.same(drainTimes('SIGTERM', 4000), { announceMs: 2000, graceMs: 2000 });
    t.same(drainTimes('SIGTERM', 0), { announceMs: 0, graceMs: 0 });
    t.same(drainTimes('SIGINT', 30_000), { announceMs: 0, graceMs: 30_000 });
  },
);
