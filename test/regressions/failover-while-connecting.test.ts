/**
 * Sentinel told of a failover while the client was still asking it for the master: ioredis then ended the client for good, and
 * keys, limits and cached answers did without Redis until a restart. The Sentinel here is a fake, to tell at that very moment.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { connectRedis } from '../../src/lib/redis.ts';
import { eventually } from '../support/eventually.ts';
import { redisAt, startRedis } from '../support/redis.ts';

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

t.test('a failover that is told during a reconnection is followed', async (t) => {
  const first = await startRedis(t);
  const second = await startRedis(t);
  let masterPort = first.port;
  let hold = false;
  const subscribers = new Set<Socket>();
  const asking = new Set<() => void>();
  const sentinel = createServer((socket) => {
    socket.on('error', () => undefined).on('close', () => subscribers.delete(socket));
    socket.on('data', (data) => {
      for (const command of String(data).split(/(?=\*\d+\r\n\$)/)) {
        const [, name = '', , argument = ''] = command.split('\r\n').slice(1);
        if (/^subscribe$/i.test(name)) {
          subscribers.add(socket);
          socket.write(`*3\r\n${bulk('subscribe')}${bulk(argument)}:1\r\n`);
        } else if (/get-master-addr-by-name/i.test(argument)) {
          const answer = (): void => void socket.write(`*2\r\n${bulk('127.0.0.1')}${bulk(String(masterPort))}`);
          if (hold) asking.add(answer);
          else answer();
        } else socket.write(/^sentinel$/i.test(name) ? '*0\r\n' : '+OK\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(sentinel, 'listening');
  t.teardown(() => sentinel.close());

  const url = `redis://127.0.0.1:${(sentinel.address() as AddressInfo).port}`;
  const settings = { ...redisAt(''), url: null, sentinel: { name: 'main', urls: [url] } };
  const connection = connectRedis(settings, { name: 'test' });
  t.teardown(() => connection.close());
  await eventually(() => connection.ready && subscribers.size > 0, 'the connection and its failover detector');
  hold = true;
  await first.kill();
  await eventually(() => asking.size > 0, 'the client to ask for the master');
  const event = `*3\r\n${bulk('message')}${bulk('+switch-master')}${bulk('main')}`;
  for (const socket of subscribers) socket.write(event);
  await eventually(() => subscribers.size === 0, 'the client to hear of it');
  masterPort = second.port;
  hold = false;
  for (const answer of asking) answer();
  await eventually(() => connection.ready, 'the new master');
  await connection.call('set', 'a', 1);
  t.equal(await second.admin.get('a'), '1');
});
