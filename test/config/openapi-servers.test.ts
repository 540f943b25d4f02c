import t from 'tap';
import { basePathOf } from '../../src/config/openapi-servers.ts';

const of = (...urls: unknown[]) => ({ servers: urls.map((url) => ({ url })) });

t.test('the path of the first server of the nearest level that names one', async (t) => {
  t.equal(basePathOf([{}, {}, {}]), '');
  t.equal(basePathOf([null, 'text', {}]), '');
  t.equal(basePathOf([{}, {}, of('https://a.example/v1/', '/v2')]), '/v1');
  t.equal(basePathOf([of('/op'), of('/item'), of('/root')]), '/op');
  t.equal(basePathOf([{ servers: [] }, of('/item'), of('/root')]), '/item');
  t.equal(basePathOf([of('v3'), {}, {}]), '/v3');
  t.equal(basePathOf([of('https://a.example'), {}, {}]), '');
});

t.test('variables have their defaults', async (t) => {
  const server = (variables: unknown) => ({ servers: [{ url: 'https://{host}/{base}', variables }] });
  t.equal(basePathOf([server({ host: { default: 'a' }, base: { default: 'v1/x' } })]), '/v1/x');
  for (const variables of [undefined, { host: { default: 'a' } }, { host: 'a', base: 'b' }, []])
    t.match(basePathOf([server(variables)]), { why: /a variable without a default/ });
});

t.test('what is no URL', async (t) => {
  t.match(basePathOf([{ servers: [{}] }]), { why: /no `url`/ });
  t.match(basePathOf([{ servers: ['x'] }]), { why: /no `url`/ });
  t.match(basePathOf([of(7)]), { why: /no `url`/ });
  t.match(basePathOf([of('http://[')]), { why: /is no URL/ });
});

t.test('a variable stands between the nearest braces', async (t) => {
  const server = (url: string) => ({ servers: [{ url, variables: { a: { default: 'x' }, '': { default: 'y' } } }] });
  for (const [url, path] of [
    ['/{a}}/b', '/x%7D/b'],
    ['/{{a}/b', '/%7Bx/b'],
    ['/{a}/{a}/', '/x/x'],
    ['/{}', '/y'],
    ['/{a', '/%7Ba'],
  ] as const)
    t.equal(basePathOf([server(url)]), path, url);
});
