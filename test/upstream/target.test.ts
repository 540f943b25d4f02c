import t from 'tap';
import { targetOf } from '../../src/upstream/target.ts';

void t.test('an upstream is an origin or a socket, and nothing else', (t) => {
  for (const url of ['ftp://a', 'http://a/base', 'http://a/?q', 'http://u@a', 'http://u:p@a', 'http://a/#f', 'a', ''])
    t.throws(() => targetOf(url), { name: 'TypeError' }, url);
  t.end();
});

void t.test('the port is that of the scheme unless it is given, and brackets belong to the origin alone', (t) => {
  const told = (url: string) => {
    const target = targetOf(url);
    if (target.kind === 'socket') return t.fail('no host');
    const { host, port, secure, origin } = target;
    return `${host} ${port} ${secure} ${origin.host}`;
  };
  t.equal(told('http://a.example.'), 'a.example. 80 false a.example');
  t.equal(told('https://a.example'), 'a.example 443 true a.example');
  t.equal(told('https://[2001:db8::1]:8443'), '2001:db8::1 8443 true [2001:db8::1]:8443');
  t.end();
});

void t.test('a socket is known by its path, and asked as localhost', (t) => {
  const target = targetOf('unix:/run/a b.sock');
  t.match(target, { kind: 'socket', path: '/run/a b.sock', origin: { origin: 'http://localhost' } });
  t.end();
});
