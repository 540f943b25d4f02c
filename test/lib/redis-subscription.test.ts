import { EventEmitter } from 'node:events';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { backoffMs, openSubscription } from '../../src/lib/redis-subscription.ts';
import { startRedis } from '../support/redis.ts';

/** Subscribes to `news`, and lets the test wait for what the owner is told. */
function subscribe(t: Test, port: number) {
  const told: string[] = [];
  const clients: Redis[] = [];
  let wake = (): void => {};
  const tell = (what: string): void => {
    told.push(what);
    wake();
  };
  const subscription = openSubscription({
    makeClient: () => {
      const client = new Redis({
        host: '127.0.0.1',
        port,
        protocol: 2,
        retryStrategy: () => null,
        disconnectTimeout: 100,
      });
      clients.push(client);
      return client;
    },
    channel: 'news',
    events: {
      onMessage: (message) => tell(`message ${message}`),
      onSubscribed: () => tell('subscribed'),
      onLost: (why) => tell(`lost: ${why}`),
    },
    describe: (error) => `described ${(error as Error).message}`,
  });
  t.teardown(() => subscription.close());
  /** Resolves once this was told so many times. */
  const until = async (what: RegExp, times = 1): Promise<void> => {
    while (told.filter((one) => what.test(one)).length < times) await new Promise<void>((next) => (wake = next));
  };
  return { told, clients, until, close: () => subscription.close() };
}

t.test('messages of the one channel come in their order, once it is subscribed', async (t) => {
  const { port, admin } = await startRedis(t);
  const { told, until } = subscribe(t, port);
  await until(/subscribed/);
  for (const message of ['one', '', 'two\r\n']) {
    for (const other of ['new', 'news:more', 'NEWS']) await admin.publish(other, 'not for us');
    await admin.publish('news', message);
  }
  await until(/two/);
  t.same(told, ['subscribed', 'message one', 'message ', 'message two\r\n']);
});

t.test('after a broken connection a fresh client is subscribed, and each message comes once', async (t) => {
  const { port, admin } = await startRedis(t);
  const { told, clients, until } = subscribe(t, port);
  for (const round of [1, 2, 3]) {
    await until(/subscribed/, round);
    await admin.publish('news', `${round}`);
    await until(new RegExp(`message ${round}`));
    await admin.call('client', 'kill', 'type', 'pubsub');
    await until(/lost/, round);
  }
  await until(/subscribed/, 4);
  const rounds = [1, 2, 3].flatMap((round) => ['subscribed', `message ${round}`, 'lost: connection closed']);
  t.same(told, [...rounds, 'subscribed']);
  t.equal(clients.map(({ status }) => status).join(), 'end,end,end,ready');
});

t.test('a server that is not there is tried again until it is, and what failed before is forgotten', async (t) => {
  const server = await startRedis(t);
  await server.kill();
  const { told, until } = subscribe(t, server.port);
  await until(/^lost: described .*ECONNREFUSED/, 2);
  await server.restart();
  await until(/subscribed/);
  await server.admin.call('client', 'kill', 'type', 'pubsub');
  await until(/^lost: connection closed$/);
  t.equal(told.filter((what) => what === 'subscribed').length, 1);
});

t.test('a refused subscription is a loss, with a reason fit for logs, and is tried again', async (t) => {
  const { port, admin } = await startRedis(t);
  await admin.call('ACL', 'SETUSER', 'default', 'resetchannels');
  const { told, clients, until } = subscribe(t, port);
  await until(/lost/);
  t.match(told, [/^lost: described NOPERM/]);
  t.equal(clients[0]?.status, 'end', 'the client that was refused is not kept');
  await admin.call('ACL', 'SETUSER', 'default', 'allchannels');
  await until(/subscribed/);
});

t.test('once closed, subscribed or not yet, it ends its connection and tells nothing', async (t) => {
  const { port } = await startRedis(t);
  for (const before of [['subscribed'], []]) {
    const { told, clients, until, close } = subscribe(t, port);
    if (before.length > 0) await until(/subscribed/);
    const ended = new Promise((resolve) => clients[0]?.once('end', resolve));
    close();
    await ended;
    close();
    t.same([told, clients.length], [before, 1]);
  }
});

t.test('closed while it waits for its next attempt, it makes none', async (t) => {
  const client = Object.assign(new EventEmitter(), { status: 'end', disconnect: () => {} });
  const subscription = openSubscription({
    makeClient: () => client as unknown as Redis,
    channel: 'news',
    events: { onMessage: () => {} },
    describe: String,
  });
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  client.emit('end');
  t.equal(timers(), before + 1, 'an attempt is due');
  subscription.close();
  t.equal(timers(), before, 'and then none');
});

t.test('closed by whoever is told of a loss, it makes no further attempt', async (t) => {
  const client = Object.assign(new EventEmitter(), { status: 'end', disconnect: () => {} });
  let made = 0;
  const subscription = openSubscription({
    makeClient: () => (made++, client as unknown as Redis),
    channel: 'news',
    events: { onMessage: () => {}, onLost: () => subscription.close() },
    describe: String,
  });
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  client.emit('end');
  t.same([timers(), made], [before, 1]);
});

t.test('attempts come less often from one to the next, up to one a second, and not at one time for all', async (t) => {
  const limits = [100, 200, 400, 800, 1000, 1000];
  for (const [attempt, limit] of [...limits.map((ms, i) => [i + 1, ms] as const), [2000, 1000] as const]) {
    const delays = Array.from({ length: 200 }, () => backoffMs(attempt));
    const [least, most] = [Math.min(...delays), Math.max(...delays)];
    t.ok(least >= limit / 2 && most <= limit, `attempt ${attempt}: from ${least} to ${most} ms`);
    t.ok(most - least > limit / 8, 'spread');
  }
});

t.test('with its connection a client stops to ask whether the server is there', async (t) => {
  const client = Object.assign(new EventEmitter(), { status: 'end', disconnect: () => {} });
  const { clearInterval } = globalThis;
  let cleared = 0;
  t.teardown(() => Object.assign(globalThis, { clearInterval }));
  Object.assign(globalThis, { clearInterval: (timer: NodeJS.Timeout) => (cleared++, clearInterval(timer)) });
  const subscription = openSubscription({
    makeClient: () => client as unknown as Redis,
    channel: 'news',
    events: { onMessage: () => {} },
    describe: String,
  });
  client.emit('end');
  t.equal(cleared, 1);
  subscription.close();
});
