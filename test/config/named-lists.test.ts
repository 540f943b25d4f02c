import t from 'tap';
import { listsNamedIn } from '../../src/config/named-lists.ts';
import { ConfigSchema } from '../../src/config/schema.ts';

t.test('each mention of an address list is told with its place', async (t) => {
  const upstream = 'http://127.0.0.1:9000';
  const config = ConfigSchema.parse({
    listen: { denyFrom: ['192.0.2.1', { list: 'bad' }] },
    apis: {
      a: { upstream, paths: ['/a'], allowFrom: [{ list: 'office' }, { address: '::1' }], denyFrom: [{ list: 'bad' }] },
      b: { upstream, paths: ['/b'] },
    },
  });
  t.same(listsNamedIn(config), [
    { name: 'bad', path: ['listen', 'denyFrom', 1, 'list'] },
    { name: 'office', path: ['apis', 'a', 'allowFrom', 0, 'list'] },
    { name: 'bad', path: ['apis', 'a', 'denyFrom', 0, 'list'] },
  ]);
  t.same(listsNamedIn(ConfigSchema.parse({ apis: { a: { upstream } } })), []);
});
