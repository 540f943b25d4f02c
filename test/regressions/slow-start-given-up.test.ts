import t from 'tap';
import { ADMIN_TOKEN } from '../support/admin-client.ts';
import { startFlow, written } from '../support/flow.ts';
import { RawClient } from '../support/upstream.ts';

t.test('on a machine that is busy for long a start is slow, and not given up', async (t) => {
  // The framework gave each of its parts ten seconds, and failed the start of a process that had to wait for a processor.
  const { setTimeout } = globalThis;
  const limits: unknown[] = [];
  const noting = (run: () => void, ms?: number): NodeJS.Timeout => {
    if (new Error().stack?.includes('/avvio/')) limits.push(ms);
    return setTimeout(run, ms);
  };
  Object.assign(globalThis, { setTimeout: noting });
  t.teardown(() => Object.assign(globalThis, { setTimeout }));
  const { postern } = await startFlow(t, { admin: { token: ADMIN_TOKEN } });
  t.equal((await fetch(`${postern.adminUrl}/api/keys`)).status, 401, 'it was loaded');
  const client = new RawClient(t, postern.port);
  client.write(written({ fields: ['Expect: 100-continue', 'Content-Length: 2'] }).toString());
  await client.until('100 Continue');
  client.write('{}');
  await client.until('HTTP/1.1 204 ');
  t.same(limits, []);
});
