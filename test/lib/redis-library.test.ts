import { execFileSync } from 'node:child_process';
import t from 'tap';
import { redisLibrary } from '../../src/lib/redis-library.ts';

t.test('the library is loaded when it is asked for, once', async (t) => {
  t.type(redisLibrary().Redis, 'function');
  t.equal(redisLibrary(), redisLibrary());
});

t.test('a module that may need Redis does not load it', async (t) => {
  const module = new URL('../../src/lib/redis.js', import.meta.url).href;
  const script = `await import(${JSON.stringify(module)});
    const { createRequire } = await import('node:module');
    console.log(Object.keys(createRequire(${JSON.stringify(module)}).cache).filter((file) => file.includes('/ioredis/')).length);`;
  t.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }), '0\n');
});
