import t from 'tap';
import { AnswerReader } from '../../../src/upstream/wire/answer-reader.ts';
import { runAnswerFuzz } from '../../support/answer-fuzz.ts';

/** What is told of bytes that come in these packets, as one line each. */
function told(method: string, packets: readonly string[], stopAt = ''): string[] {
  const lines: string[] = [];
  const tell = (line: string): void => {
    lines.push(line);
    if (line === stopAt) reader.stop();
  };
  const reader: AnswerReader = new AnswerReader({
    onInterim: (status) => tell(`interim ${status}`),
    onHead: ({ status }) => tell(`head ${status}`),
    onContent: (bytes) => tell(`content ${bytes.toString('latin1')}`),
    onAnswerEnd: (trailers, reusable) => tell(`end ${trailers.join()} ${reusable ? 'reusable' : 'last'}`),
    onFlaw: (why) => tell(`flaw ${why}`),
  });
  reader.expect(method);
  for (const packet of packets)
    if (packet !== 'END') reader.read(Buffer.from(packet, 'latin1'));
    else tell(reader.endOfConnection() ? 'ended' : 'broken');
  tell(reader.isIdle ? 'idle' : 'reading');
  return lines;
}

const OK = 'HTTP/1.1 200 OK\r\n';

void t.test('the end of an answer is where its framing says', async (t) => {
  const whole = ['head 200', 'content hi', 'end  reusable', 'idle'];
  t.strictSame(told('GET', [`${OK}Content-Length: 2\r\n\r\nhi`]), whole);
  t.strictSame(told('GET', [`${OK}Content-Length: 2\r\n\r\n`, 'hi']), whole);
  t.strictSame(told('GET', [`${OK}Content-Length: 0\r\n\r\n`]), ['head 200', 'end  reusable', 'idle']);
  t.strictSame(told('GET', [`${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\nA: b\r\n\r\n`]), [
    'head 200',
    'content hi',
    'end A,b reusable',
    'idle',
  ]);
  t.strictSame(told('GET', [`${OK}\r\nh`, 'i', 'END']), [
    'head 200',
    'content h',
    'content i',
    'end  last',
    'ended',
    'idle',
  ]);
  t.strictSame(told('GET', [`${OK}Content-Length: 3\r\n\r\nhi`, 'END']), [
    'head 200',
    'content hi',
    'broken',
    'reading',
  ]);
  t.strictSame(told('GET', [OK, 'END']), ['broken', 'reading']);
});

void t.test('an answer without content ends with its head; where it declares some, nothing more is read', async (t) => {
  for (const [method, status, field, end] of [
    ['GET', 204, 'A: b', 'reusable'],
    ['GET', 304, 'A: b', 'reusable'],
    ['GET', 204, 'Content-Length: 0', 'reusable'],
    ['GET', 204, 'Content-Length: 2', 'last'],
    ['GET', 304, 'Content-Length: 2', 'last'],
    ['GET', 304, 'Transfer-Encoding: chunked', 'last'],
    ['HEAD', 200, 'Content-Length: 0', 'last'],
    ['HEAD', 200, 'Transfer-Encoding: chunked', 'last'],
  ] as const)
    t.strictSame(
      told(method, [`HTTP/1.1 ${status} X\r\n${field}\r\n\r\n`]),
      [`head ${status}`, `end  ${end}`, 'idle'],
      field,
    );
});

void t.test('bytes behind an answer are not read, and its connection is the last', async (t) => {
  for (const answer of [
    `${OK}Content-Length: 2\r\n\r\nhi`,
    `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  ])
    for (const more of ['\r\n', 'x', `${OK}Content-Length: 4\r\n\r\nevil`])
      t.strictSame(told('GET', [answer + more]), ['head 200', 'content hi', 'end  last', 'idle'], more);
  t.strictSame(told('GET', ['HTTP/1.1 204 X\r\n\r\nx']), ['head 204', 'end  last', 'idle']);
});

void t.test('interim responses come before the answer, also in one packet with it', async (t) => {
  const sent = `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 H\r\nLink: x\r\n\r\n${OK}Content-Length: 0\r\n\r\n`;
  const lines = ['interim 100', 'interim 103', 'head 200', 'end  reusable', 'idle'];
  t.strictSame(told('GET', [sent]), lines);
  t.strictSame(told('GET', sent.split('')), lines, 'byte by byte');
});

void t.test('what is no answer is told before its end has come, and then nothing is read', async (t) => {
  for (const start of [
    'S',
    'HTTQ',
    'HTTP/2',
    ' HTTP',
    '\r\n',
    '\n',
    `${OK}A: b\n`,
    'HTTP/1.1 200 OK\n',
    `${OK}A: b\rC`,
  ]) {
    t.match(told('GET', [start])[0], /^flaw /, JSON.stringify(start));
    t.match(told('GET', start.split(''))[0], /^flaw /, `${JSON.stringify(start)} byte by byte`);
  }
  t.strictSame(told('GET', ['H', 'TT', 'P/1.', `1 200 OK\r\nContent-Length: 0\r`, '\n\r', '\n']), [
    'head 200',
    'end  reusable',
    'idle',
  ]);
  t.match(told('GET', [`${OK}A: ${'b'.repeat(70_000)}`])[0], /^flaw more than 65536 bytes/);
  t.match(
    told(
      'GET',
      Array.from({ length: 70 }, (_, i) => (i === 0 ? OK : `A: ${'b'.repeat(1_000)}\r\n`)),
    )[0],
    /^flaw more than/,
  );
  t.match(told('GET', [`${OK}${`A: ${'b'.repeat(1_000)}\r\n`.repeat(66)}\r\n`])[0], /^flaw more than/);
  const large = `${OK}A: ${'b'.repeat(60_000)}\r\nContent-Length: 2\r\n\r\nhi`;
  t.strictSame(told('GET', [large]), ['head 200', 'content hi', 'end  reusable', 'idle']);
  t.strictSame(told('GET', [`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhix`, 'more']), [
    'head 200',
    'content hi',
    'flaw a chunk that is longer than its size',
    'idle',
  ]);
});

void t.test('an answer like the last is read like it, and one that differs in a byte by itself', async (t) => {
  const seen: unknown[] = [];
  const reader = new AnswerReader({
    onInterim: () => undefined,
    onHead: ({ status, headers, length }) => void seen.push([status, headers, length]),
    onContent: () => undefined,
    onAnswerEnd: (_trailers, reusable) => void seen.push(reusable),
    onFlaw: (why) => void seen.push(why),
  });
  const first = `${OK}Content-Length: 0\r\n\r\n`;
  const read = [200, ['Content-Length', '0'], 0];
  for (const [method, text, told] of [
    ['GET', first, [read, true]],
    ['GET', first, [read, true]],
    ['HEAD', first, [read, false]],
    ['GET', first.replace('200', '201'), [[201, ['Content-Length', '0'], 0], true]],
    ['GET', first.replace('0\r\n\r', '+\r\n\r'), ['odd Content-Length']],
    ['GET', first, [read, true]],
  ] as const) {
    reader.expect(method);
    reader.read(Buffer.from(text));
    t.strictSame(seen.splice(0), told, `${method} ${text}`);
  }
});

void t.test('nothing is told after a stop', async (t) => {
  for (const [stop, packet] of [
    ['interim 100', `HTTP/1.1 100 C\r\n\r\n${OK}Content-Length: 2\r\n\r\nhi`],
    ['head 200', `${OK}Content-Length: 2\r\n\r\nhi`],
    ['head 200', `${OK}Content-Length: 0\r\n\r\n`],
    ['content hi', `${OK}Content-Length: 2\r\n\r\nhi`],
    ['content hi', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`],
  ] as const)
    t.equal(told('GET', [packet], stop).at(-2), stop, stop);
});

void t.test('answers are refused, or read as Node reads them', async (t) => {
  const { cases, alike, reusable } = await runAnswerFuzz({ cases: 1_500, seed: 20_260_601 });
  t.ok(alike > cases / 3, 'a fuzz in which nothing is read proves nothing');
  t.ok(reusable > cases / 30);
});

void t.test('a head may have 65,536 bytes and not one more, however its packets are cut', async (t) => {
  const headOf = (length: number): string => {
    const start = `${OK}Content-Length: 0\r\nA: `;
    return `${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`;
  };
  for (const size of [1000, 65_536, 100_000]) {
    const packets = (text: string): string[] => text.match(RegExp(`[^]{1,${Math.min(size, 65_000)}}`, 'g')) ?? [];
    const cut = size === 100_000 ? (text: string): string[] => [text] : packets;
    t.same(told('GET', cut(headOf(65_536))), ['head 200', 'end  reusable', 'idle'], `${size}`);
    t.same(told('GET', cut(headOf(65_537)))[0], 'flaw more than 65536 bytes of head', `${size}`);
  }
});
