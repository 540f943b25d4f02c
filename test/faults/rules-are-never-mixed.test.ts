import net from 'node:net';
import t from 'tap';
import { field } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const SECRET = 'secret-that-each-version-of-the-key-has';
const RELOADS = 100;

/** Everything that a version of the rules decides, recognisable at the backend. */
const version = (name: 'old' | 'new', upstream: string) => ({
  config: { apis: { integration: { upstream, authorization: `Bearer of-${name}` } } },
  keys: [{ id: name, type: 'write-only', secret: SECRET, allowedEvents: [name] }],
});

t.test(`${RELOADS} reloads under load fail no request, and none is judged by two versions of the rules`, async (t) => {
  const backend = await startBackend(t);
  const versions = (['old', 'new'] as const).map((name) => version(name, backend.url));
  const postern = await startPostern(t, versions[0] as (typeof versions)[0]);
  const body = '{"events":[{"name":"old"},{"name":"new"}]}';
  const head = `POST /event/ingest/batch HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${SECRET}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const load = { over: false };
  const statuses = new Map<string, number>();
  const client = async (): Promise<void> => {
    const socket = net.connect(postern.port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    t.teardown(() => socket.destroy());
    while (!load.over) {
      // The head is judged by the rules of its time; the body comes after the next reload.
      socket.write(head + body.slice(0, 10));
      await new Promise((resolve) => setTimeout(resolve, 2));
      socket.write(body.slice(10));
      const answer = await new Promise<string>((resolve, reject) => {
        socket.once('data', resolve);
        socket.once('close', () => reject(new Error('closed')));
      });
      statuses.set(answer.slice(9, 12), (statuses.get(answer.slice(9, 12)) ?? 0) + 1);
      socket.removeAllListeners('close');
    }
  };
  const clients = Array.from({ length: 8 }, client);
  for (let n = 1; n <= RELOADS; n++) {
    const { config, keys } = versions[n % 2] as (typeof versions)[0];
    postern.writeConfig(config);
    postern.writeKeys(keys);
    await postern.sidecar.reload();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  load.over = true;
  await Promise.all(clients);
  t.same([...statuses.keys()], ['204']);
  const seen = new Set(
    backend.requests.map((request) =>
      [field(request, 'postern-key-id'), field(request, 'authorization'), request.body.toString()].join(' '),
    ),
  );
  t.same([...seen].toSorted(), [
    'new Bearer of-new {"events":[{"name":"new"}]}',
    'old Bearer of-old {"events":[{"name":"old"}]}',
  ]);
});
