import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import t from 'tap';
import { startMetrics } from '../support/metrics-api.ts';

t.test('answers from the cache to pipelined requests leave no listener on the connection', async (t) => {
  const sockets: Socket[] = [];
  const { postern, obtainToken, query, connections } = await startWithConnections(t, sockets);
  const token = await obtainToken();
  await query(token, { body: '{}' });
  const request = `POST /metrics/query HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;
  // Behind one that has to wait for the backend, the others are answered before they own the connection.
  const slow = `GET /metrics/query/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const client = net.connect(postern.port, '127.0.0.1');
  t.teardown(() => client.destroy());
  let text = '';
  client.setEncoding('latin1').on('data', (data: string) => (text += data));
  const answered = (count: number): boolean => text.split('postern; hit').length > count;
  for (let round = 1; round <= 4; round++) {
    client.write(slow + request.repeat(20));
    while (!answered(20 * round)) await once(client, 'data');
  }
  const socket = connections().at(-1);
  t.ok(socket !== undefined && socket.listenerCount('close') < 10, `${socket?.listenerCount('close')} listeners`);
});

async function startWithConnections(t: Parameters<typeof startMetrics>[0], sockets: Socket[]) {
  // The server is in this process: its end of each connection is found where Node makes it.
  const emit = net.Server.prototype.emit;
  net.Server.prototype.emit = function (this: net.Server, event: string, ...args: unknown[]) {
    if (event === 'connection') sockets.push(args[0] as Socket);
    return Reflect.apply(emit, this, [event, ...args]) as boolean;
  } as typeof emit;
  t.teardown(() => (net.Server.prototype.emit = emit));
  return { ...(await startMetrics(t)), connections: () => sockets };
}
