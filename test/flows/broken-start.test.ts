import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { SERVER_KEY } from '../support/flow.ts';
import { spawnPostern, type ProcessFiles } from '../support/process.ts';

const apis = { integration: { upstream: 'http://127.0.0.1:9' } };

const CASES: readonly (readonly [string, ProcessFiles, readonly RegExp[]])[] = [
  [
    'several mistakes at once',
    { config: 'apis: { integration: { upstream: ftp://x } }\nlog: { level: loud }\n', keys: [SERVER_KEY] },
    [/postern\.yaml:1:\d+ error /, /postern\.yaml:2:\d+ error /],
  ],
  [
    'a broken key file',
    { config: { apis }, keys: 'keys:\n  - { id: A, type: x, secret: a-secret-that-is-in-the-file }\n' },
    [/keys\.yaml:2:\d+ error .*id/, /keys\.yaml:2:\d+ error .*type/],
  ],
];

t.test('a configuration that cannot be used: exit 1, every finding at its line, nothing listens', async (t) => {
  await Promise.all(
    CASES.map(async ([name, files, findings]) => {
      const { exit, stderr, stdout } = spawnPostern(t, files);
      t.equal(await exit, 1, name);
      for (const finding of findings) t.match(stderr(), finding);
      t.notMatch(stdout(), '"started"');
      t.notMatch(
        stderr() + stdout(),
        /\n\s+at |a-secret-that-is-in-the-file|node:internal/,
        'no stack trace, no secret',
      );
    }),
  );
});

t.test('a port that is taken: exit 1 and one sentence', async (t) => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as net.AddressInfo;
  const config = { apis, listen: { host: '127.0.0.1', port } };
  const { exit, stderr } = spawnPostern(t, { config, keys: [SERVER_KEY] });
  t.equal(await exit, 1);
  t.match(
    stderr(),
    new RegExp(
      `^postern cannot start: listen\\.port cannot be used \\(EADDRINUSE\\): .*; stop it or choose another port: 127\\.0\\.0\\.1:${port}\n$`,
    ),
  );
});
