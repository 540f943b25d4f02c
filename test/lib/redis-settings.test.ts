import t from 'tap';
import { errorText, parseRedisUrl, serverOptions } from '../../src/lib/redis-settings.ts';
import { REDIS_CA_FILE, redisAt } from '../support/redis.ts';

t.test('reads each part of a URL', (t) => {
  t.same(parseRedisUrl('rediss://us%65r:p%40ss@redis.example:6380/3'), {
    host: 'redis.example',
    port: 6380,
    db: 3,
    username: 'user',
    password: 'p@ss',
    secure: true,
  });
  t.match(parseRedisUrl('redis://[::1]'), { host: '::1', port: 6379, db: 0, secure: false });
  t.match(parseRedisUrl('redis://:only-a-password@h'), { username: undefined, password: 'only-a-password' });
  t.equal(parseRedisUrl('redis://:100%@h').password, '100%');
  t.end();
});

t.test('a wrong URL is told without what it holds', (t) => {
  for (const url of ['http://:hidden@h', 'redis://:hidden@h/db', 'redis://:hidden@', ':hidden'])
    t.throws(() => parseRedisUrl(url), { message: /^(?!.*hidden)/ }, url);
  for (const url of ['redis:///', 'redis:///3', 'rediss:'])
    t.throws(() => parseRedisUrl(url), { message: 'the Redis URL names no host' }, url);
  t.end();
});

t.test('Sentinels have their own credentials, and TLS is for all or none', (t) => {
  const sentinel = { name: 'main', urls: ['redis://s-user:s-pass@one', 'redis://two:1234'] };
  const plain = serverOptions(redisAt('', { url: null, sentinel, username: 'user', password: 'pass' }));
  t.match(plain, {
    name: 'main',
    sentinels: [
      { host: 'one', port: 26_379 },
      { host: 'two', port: 1234 },
    ],
    sentinelUsername: 's-user',
    sentinelPassword: 's-pass',
    username: 'user',
    password: 'pass',
  });
  t.notOk(plain.tls ?? plain.sentinelTLS);
  const bare = serverOptions(redisAt('redis://h'));
  for (const name of ['username', 'password', 'tls']) t.notOk(Object.hasOwn(bare, name), name);
  const tls = { caFile: REDIS_CA_FILE, serverName: 'redis.example', insecureSkipVerify: false };
  const secure = { rejectUnauthorized: true, servername: 'redis.example', ca: Buffer };
  t.match(serverOptions(redisAt('', { url: null, sentinel, tls })), {
    tls: secure,
    sentinelTLS: secure,
    enableTLSForSentinelMode: true,
  });
  const rediss = { name: 'main', urls: ['rediss://one'] };
  t.match(serverOptions(redisAt('', { url: null, sentinel: rediss })), {
    tls: { rejectUnauthorized: true },
    sentinelTLS: { rejectUnauthorized: true },
  });
  t.end();
});

t.test('errors are one line and hold no password, however it is spelled', (t) => {
  const settings = redisAt('redis://:in%20url@h', { password: 'beside', cluster: ['redis://:in-cluster@h'] });
  const text = errorText(settings)(new Error('with args `in url` `in%20url` `beside` `in-cluster`\r\n{"level":50}'));
  t.equal(text, 'with args `***` `***` `***` `***` {"level":50}');
  t.equal(
    errorText(settings)(new AggregateError([new Error('connect ECONNREFUSED ::1:1')])),
    'connect ECONNREFUSED ::1:1',
  );
  t.equal(errorText(settings)('x'.repeat(1000)).length, 300);
  const sentinel = { name: 'main', urls: ['redis://:of-sentinel@h'] };
  t.equal(errorText(redisAt('', { url: null, sentinel }))('AUTH of-sentinel'), 'AUTH ***');
  const odd = errorText(redisAt('', { url: 'no URL', cluster: ['redis://:in-cluster@h', 'nor this'] }));
  t.equal(odd('AUTH in-cluster'), 'AUTH ***', 'beside what is no URL');
  t.equal(errorText(settings)('gone. Retrying from scratch after 57ms.'), 'gone');
  t.equal(errorText(settings)(new TypeError('')), 'TypeError');
  t.equal(
    errorText(settings)("Socket timeout. Expecting data, but didn't receive any in 2500ms."),
    'no answer within 2500 ms',
  );
  t.end();
});
