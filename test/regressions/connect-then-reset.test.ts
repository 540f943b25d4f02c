import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

t.test('a reset after a refused CONNECT does not end the process', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, { config: { apis: { integration: { upstream: backend.url } } }, keys: [] });
  for (let round = 0; round < 10; round++) {
    const socket = net.connect(postern.port, '127.0.0.1');
    socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    t.match(answer.toString('latin1'), /^HTTP\/1\.1 405 /);
    socket.resetAndDestroy();
    // A whole exchange later the reset has been delivered: an error that nobody listens for has failed this test.
    t.equal((await fetch(postern.url)).status, 401);
  }
});
