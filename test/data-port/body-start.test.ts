import t from 'tap';
import { effortPerPacket, findBodyStart, type ParsedHead } from '../../src/data-port/body-start.ts';

const head: ParsedHead = {
  method: 'POST',
  url: '/a',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'a', 'X', 'b:c', 'Transfer-Encoding', 'chunked'],
};
const text = 'POST /a HTTP/1.1\r\nHost: a\r\nX:\t b:c \r\nTransfer-Encoding:chunked\r\n\r\n';
const body = '3\r\nabc\r\n0\r\n\r\n';
const find = (packet: string, known: number | null = null): unknown =>
  findBodyStart(Buffer.from(packet, 'latin1'), head, known);

void t.test('finds the end of a head wherever the packet begins in it', async (t) => {
  for (let cut = 0; cut <= text.length; cut++) {
    const rest = text.slice(cut);
    if (rest !== '') t.equal(find(rest + body), rest.length, JSON.stringify(rest));
    if (rest !== '') t.equal(find(rest), rest.length, `${JSON.stringify(rest)} and no body yet`);
  }
});

void t.test('finds it behind other messages', async (t) => {
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  t.equal(find(get + text + body), get.length + text.length);
  t.equal(find(`tail of a body${text}${body}`), 14 + text.length);
  const other = text.replace('/a', '/b') + body;
  t.equal(find(other + text + body), other.length + text.length);
});

void t.test('accepts what Node accepts in a request line', async (t) => {
  const spaced = text.replace('POST /a HTTP', 'POST  /a  HTTP');
  t.equal(find(spaced + body), spaced.length);
});

void t.test('two places are an error', async (t) => {
  t.match(find(text + body + text + body), { why: /two places/ });
});

void t.test('a known start tells equal heads apart', async (t) => {
  const first = text + body;
  t.equal(find(first + text + body, first.length), first.length + text.length);
  t.equal(
    find(`${first}\r\n\r\n${text}${body}`, first.length),
    first.length + 4 + text.length,
    'empty lines are skipped',
  );
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  t.equal(find(first + get + text + body, first.length), (first + get + text).length);
  t.match(find(first + get + text + body + text + body, first.length), { why: /two places/ });
});

void t.test('a head that must follow is not looked for before', async (t) => {
  const packet = `\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n${text}${body}`;
  t.match(find(packet), { why: /two places/ });
  t.equal(find(packet, 14), packet.length - body.length);
});

void t.test('no place is an error', async (t) => {
  t.match(find('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { why: /not found/ });
  t.match(find(''), { why: /not found/ });
});

void t.test('where a packet begins within a field, its first byte is compared as well', async (t) => {
  for (const rest of ['Xhunked', 'Xansfer-Encoding:chunked', '\nXhunked'])
    t.match(find(`${rest}\r\n\r\n${body}`), { why: /not found/ }, JSON.stringify(rest));
  t.equal(find(`\nTransfer-Encoding:chunked\r\n\r\n${body}`), 30);
});

void t.test('a packet of very many heads is not searched to its end for each of them', async (t) => {
  t.equal(effortPerPacket().left, 40_000);
  const effort = effortPerPacket();
  const one = (i: number): string => `GET / HTTP/1.1\r\nHost: a\r\n\r\n${text.replace('/a', `/${i}`)}0\r\n\r\n`;
  const packet = Buffer.from(Array.from({ length: 600 }, (_, i) => one(i)).join(''));
  let known: number | null = null;
  let found = 0;
  for (let i = 0; i < 600; i++) {
    const start = findBodyStart(packet, { ...head, url: `/${i}` }, known, effort);
    if (typeof start !== 'number') {
      t.match(start, { why: /too many places/ });
      break;
    }
    found++;
    known = start + 5;
  }
  t.ok(found > 0 && found < 100, `${found} are found`);
  t.equal(typeof findBodyStart(packet, { ...head, url: '/599' }, packet.length - one(599).length), 'number');
});

void t.test('a head that differs in any line is another one', async (t) => {
  for (const other of [
    text.replace('POST', 'PUT'),
    text.replace('/a', '/b'),
    text.replace('1.1', '1.0'),
    text.replace('Host: a\r\n', ''),
    text.replace('X:', 'Y:'),
    text.replace('b:c', 'b:d'),
    text.replace('chunked', 'chunkeD'),
  ]) {
    t.match(find(other + body), { why: /not found/ }, other);
    t.match(find(other + body, 0), { why: /not found/ }, other);
    t.equal(find(other + text), other.length + text.length, other);
  }
});

void t.test('where a message is known to start, its head must be there from the first byte', async (t) => {
  for (const cut of [1, 5, 12, 18, 30]) t.match(find(text.slice(cut) + body, 0), { why: /not found/ }, String(cut));
});

void t.test(
  'behind empty lines of any number and kind it is still known which of two equal heads is meant',
  async (t) => {
    const first = text + body;
    for (const lines of ['\r\n', '\r\n\r\n\r\n', '\n'])
      t.equal(
        find(first + lines + text + body + text + body, first.length),
        first.length + lines.length + text.length,
        JSON.stringify(lines),
      );
  },
);

void t.test('whatever may follow a chunk size is a place where a body could start', async (t) => {
  for (const after of ['\r\n', ';a\r\n', ' \r\n', '\t\r\n', ''])
    t.equal(find(`${text}3${after}`), text.length, JSON.stringify(after));
  for (const digits of [32, 33, 40])
    t.equal(find(`${text}${'0'.repeat(digits)}x`), text.length, 'of a size that long nothing more is read');
  for (const other of ['x\r\n', '\r\n', '3x\r\n', '3\n', `${'0'.repeat(31)}x`])
    t.match(find(text + other), { why: /not found/ }, JSON.stringify(other));
});

void t.test('a place before a size with a blank hides none behind it', async (t) => {
  for (const blank of [' ', '\t', ';']) t.match(find(`${text}3${blank}\r\n${text}${body}`), { why: /two places/ });
});

void t.test('each empty line and each line that is compared costs', async (t) => {
  const left = (packet: string, known: number | null = null): number => {
    const effort = { left: 1000 };
    findBodyStart(Buffer.from(packet, 'latin1'), head, known, effort);
    return 1000 - effort.left;
  };
  t.equal(left(text + body), 1 + 3 * 8 + (1 + 8), 'at the end of the packet as well');
  t.equal(left(text + body, 0), 3 * 8);
  t.equal(left('\r\n\r\n'.repeat(3)), 1 + 5 + 8);
  const none = { left: 0 };
  t.match(findBodyStart(Buffer.from(text + body), head, null, none), { why: /too many places/ });
});

void t.test('a request line is not taken for the end of a field that says the same', async (t) => {
  const odd: ParsedHead = { ...head, rawHeaders: ['X', 'POST /a HTTP/1.1', 'Transfer-Encoding', 'chunked'] };
  const packet = Buffer.from(`POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
  t.match(findBodyStart(packet, odd, 0), { why: /not found/ });
  t.type(findBodyStart(packet, odd, null), 'number', 'unless the packet may begin within it');
});
