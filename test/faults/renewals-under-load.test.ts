import { readFileSync } from 'node:fs';
import https from 'node:https';
import t from 'tap';
import { SERVER_SECRET, startFlow } from '../support/flow.ts';
import { tlsFixture, tlsFolder, untilShown } from '../support/tls-files.ts';

const ca = [readFileSync(tlsFixture('cert')), readFileSync(tlsFixture('renewed'))];

t.test('certificates that are renewed again and again fail no request, on old connections or new ones', async (t) => {
  const files = tlsFolder(t);
  const { postern, backend } = await startFlow(t, { listen: { tls: files.pair } });
  const kept = new https.Agent({ keepAlive: true, maxSockets: 4 });
  t.teardown(() => kept.destroy());
  const ask = (agent: https.Agent | false) =>
    new Promise<number>((resolve, reject) => {
      const options = {
        port: postern.port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca,
        agent,
        method: 'POST',
        path: '/event/ingest',
        headers: { authorization: `Bearer ${SERVER_SECRET}` },
      };
      const req = https.request(options, (res) => res.resume().on('end', () => resolve(res.statusCode ?? 0)));
      req.on('error', reject).end('{"events":[]}');
    });
  const over = new AbortController();
  const answers: (number | string)[] = [];
  const client = async (agent: https.Agent | false): Promise<void> => {
    while (!over.signal.aborted) answers.push(await ask(agent).catch((error: Error) => error.message));
  };
  const clients = [client(kept), client(kept), client(false), client(false)];
  for (const name of ['renewed', 'cert', 'renewed'] as const) {
    files[name === 'cert' ? 'byRename' : 'inPlace'](name);
    await untilShown(postern.port, name);
  }
  over.abort();
  await Promise.all(clients);
  t.ok(answers.length > 10);
  t.same(new Set(answers), new Set([204]));
  t.equal(backend.requests.length, answers.length);
  t.equal(postern.lines.filter(({ msg }) => msg === 'certificate_renewed').length, 3);
});
