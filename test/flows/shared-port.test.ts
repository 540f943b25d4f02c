import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { sharesPorts } from '../../src/lib/shared-port.ts';
import { SERVER_KEY, SERVER_SECRET } from '../support/flow.ts';
import { startBackend } from '../support/backend.ts';
import { portsOf, spawnPostern } from '../support/process.ts';
import { freePort } from '../support/free-port.ts';

t.test('several processes share a port, or say that this Node cannot', async (t) => {
  const backend = await startBackend(t);
  const apis = { integration: { upstream: backend.url } };
  const port = await freePort();
  const config = { apis, listen: { host: '127.0.0.1', port, reusePort: true } };
  const text = `listen:\n  reusePort: true\napis: { integration: { upstream: "http://127.0.0.1:9" } }\n`;
  const { problems } = loadConfig(join(t.testdir({ 'p.yaml': text }), 'p.yaml'), {});
  const first = spawnPostern(t, { config, keys: [SERVER_KEY] });
  const second = spawnPostern(t, { config, keys: [SERVER_KEY] });
  if (!sharesPorts(process.versions.node)) {
    t.match(problems.map(formatProblem), [
      /p\.yaml:2:14 error listen\.reusePort needs Node 23\.1 or later, and this is /,
    ]);
    t.same([await first.exit, await second.exit], [1, 1], 'rather than one of them alone without a word');
    return;
  }
  t.same(problems, []);
  t.same([(await portsOf(first)).data, (await portsOf(second)).data], [port, port]);
  const headers = { authorization: `Bearer ${SERVER_SECRET}` };
  t.equal((await fetch(`http://127.0.0.1:${port}/profile/1`, { headers })).status, 204);
});
