import fc from 'fast-check';
import t from 'tap';
import { requestLineIn } from '../../src/data-port/request-line.ts';

const lineIn = (text: string, parsed = 0) => requestLineIn(Buffer.from(text, 'latin1'), parsed);

t.test('the line that a packet begins with, however it ends', async (t) => {
  t.same(lineIn('GET /a?b HTTP/1.1\r\nX : y\r\n\r\n', 20), { method: 'GET', target: '/a?b' });
  t.same(lineIn('\r\n\nF@O /a HTTP/1.1\r\n'), null);
  t.same(lineIn('\r\n\nFOO * HTTP/1.1\nHost'), { method: 'FOO', target: '*' });
  t.same(lineIn(`GET /${'a'.repeat(8000)} HTTP/2.0\r\n`)?.target.length, 8001);
});

t.test('nothing where there is no such line', async (t) => {
  t.equal(requestLineIn(undefined, 0), null);
  const broken = [
    '',
    'GET /a',
    'GET /a HTTP/1.1',
    'GET /a b HTTP/1.1\r\n',
    'GET  /a HTTP/1.1\r\n',
    'GET /\u00e9 HTTP/1.1\r\n',
    'GET /a\n/b HTTP/1.1\r\n',
    `${'M'.repeat(33)} / HTTP/1.1\r\n`,
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n',
  ];
  for (const text of broken) t.equal(lineIn(text), null, JSON.stringify(text));
});

t.test('nothing where the packet begins with another request', async (t) => {
  const first = 'GET /first HTTP/1.1\r\nHost: a\r\n\r\n';
  t.equal(lineIn(`${first}GET /second HTTP/1.1\r\nX : y\r\n\r\n`, first.length + 25), null);
  t.same(lineIn(`${first}more`, 10), { method: 'GET', target: '/first' }, 'what comes after the fault does not matter');
});

t.test('never more than one line of visible text', (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const line = requestLineIn(Buffer.concat([Buffer.from('GET /'), bytes, Buffer.from(' HTTP/1.1\r\n')]), 0);
        return line === null || /^[\x21-\x7e]+$/.test(line.target + line.method);
      }),
    ),
  );
  t.end();
});

t.test('of the parts of a line each is as it must be', async (t) => {
  t.same(lineIn('A / HTTP/1.1\r\n'), { method: 'A', target: '/' });
  t.same(lineIn(`${'M'.repeat(32)} / HTTP/1.1\r\n`)?.method.length, 32);
  for (const text of [
    ' / HTTP/1.1\r\n',
    'GET  HTTP/1.1\r\n',
    'GET / HTTPS/1.1\r\n',
    'GET / HTTP/11.1\r\n',
    'GET / HTTP/1.11\r\n',
    'GET / HTTP/1.\r\n',
    'GET / HTTP/a.1\r\n',
    'G(T / HTTP/1.1\r\n',
    ' GET / HTTP/1.1\r\n',
    '\rGET / HTTP/1.1\r\n',
    'GET /\x7f HTTP/1.1\r\n',
  ])
    t.equal(lineIn(text), null, JSON.stringify(text));
  for (const mark of "!#$%&'*+.^_`|~-") t.equal(lineIn(`A${mark} / HTTP/1.1\r\n`)?.method, `A${mark}`);
  t.equal(lineIn(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n`), null, 'one that is longer than any that is read');
  const first = 'GET / HTTP/1.1\r\n\r\n';
  t.same(lineIn(first, first.length - 1), { method: 'GET', target: '/' }, 'what is not parsed yet does not count');
  t.equal(lineIn(first, first.length), null);
});
