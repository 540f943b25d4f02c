import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { createRequestCutter, type RequestCutter } from '../../src/lib/request-cutter.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const CHUNKED = 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n';
const BODY = '3\r\nabc\r\n0\r\n\r\n';

interface Read {
  complete: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Hands the next piece of these bytes over, while the parser does what `parse` says. The piece, and what is left. */
function handOver(
  cutter: RequestCutter,
  bytes: string,
  parse: () => void = () => undefined,
): readonly [string, string] {
  const end = cutter.nextEnd(Buffer.from(bytes, 'latin1'));
  parse();
  cutter.handedOver(Buffer.from(bytes.slice(0, end), 'latin1'));
  return [bytes.slice(0, end), bytes.slice(end)];
}

/** The parser reads a head; without a body the request is whole with it. */
function begin(cutter: RequestCutter, headers: Read['headers'] = {}): Read {
  const req = { complete: false, headers };
  cutter.headEnded(req as unknown as IncomingMessage);
  return req;
}
const whole = (cutter: RequestCutter) => () => void (begin(cutter).complete = true);

t.test('requests without a body come one by one, wherever their packets are cut', async (t) => {
  for (let cut = 1; cut < GET.length; cut++) {
    const cutter = createRequestCutter();
    const [first, rest] = handOver(cutter, GET + GET.slice(0, cut), whole(cutter));
    t.same([first, cutter.isBetweenRequests()], [GET, true]);
    t.same(handOver(cutter, rest), [GET.slice(0, cut), '']);
    t.equal(cutter.isBetweenRequests(), false, 'a head has begun');
    t.same(handOver(cutter, GET.slice(cut) + GET, whole(cutter)), [GET.slice(cut), GET], `cut at ${cut}`);
    t.equal(cutter.isBetweenRequests(), true);
  }
  const cutter = createRequestCutter();
  t.same(handOver(cutter, `\r\n\r\n${GET}${GET}`, whole(cutter)), [`\r\n\r\n${GET}`, GET], 'behind empty lines');
});

t.test('a body of a declared length ends with its last byte', async (t) => {
  const cutter = createRequestCutter();
  let req: Read | null = null;
  const head = 'POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\n';
  t.same(
    handOver(cutter, `${head}ab`, () => (req = begin(cutter, { 'content-length': '6' }))),
    [head, 'ab'],
  );
  t.equal(cutter.isBetweenRequests(), false);
  t.same(handOver(cutter, 'ab'), ['ab', '']);
  const last = () => void ((req as unknown as Read).complete = true);
  t.same(handOver(cutter, `\r\n\r\n${GET}`, last), ['\r\n\r\n', GET]);
  t.equal(cutter.isBetweenRequests(), true);
});

t.test('behind a chunked body a head may have begun, and is ended before the next', async (t) => {
  for (const [behind, isBetween] of [
    ['', true],
    ['G', false],
    [GET.slice(0, -1), false],
    [GET.slice(0, -3), false],
  ] as const) {
    const cutter = createRequestCutter();
    let req: Read | null = null;
    t.same(
      handOver(cutter, CHUNKED + BODY, () => (req = begin(cutter, { 'transfer-encoding': 'chunked' }))),
      [CHUNKED, BODY],
    );
    const end = () => void ((req as unknown as Read).complete = true);
    t.same(handOver(cutter, BODY + behind, end), [BODY + behind, ''], 'it is looked for behind 64 bytes');
    t.equal(cutter.isBetweenRequests(), isBetween, JSON.stringify(behind));
    const rest = GET.slice(behind.length);
    t.same(handOver(cutter, rest + GET, whole(cutter)), [rest, GET]);
    t.equal(cutter.isBetweenRequests(), true);
  }
});

t.test('a chunked body whose end comes in several packets ends with the last of them', async (t) => {
  for (let cut = 1; cut < BODY.length; cut++) {
    const cutter = createRequestCutter();
    let req: Read | null = null;
    handOver(cutter, CHUNKED, () => (req = begin(cutter, { 'transfer-encoding': 'chunked' })));
    t.same(handOver(cutter, BODY.slice(0, cut)), [BODY.slice(0, cut), '']);
    t.equal(cutter.isBetweenRequests(), false);
    const end = () => void ((req as unknown as Read).complete = true);
    t.same(handOver(cutter, BODY.slice(cut), end), [BODY.slice(cut), '']);
    t.equal(cutter.isBetweenRequests(), true, `cut at ${cut}`);
  }
});

t.test('a chunked body is cut where it may end, and no sooner', async (t) => {
  const cutter = createRequestCutter();
  const headOf = () => void begin(cutter, { 'transfer-encoding': 'chunked' });
  t.equal(handOver(cutter, CHUNKED, headOf)[0], CHUNKED);
  const data = `40\r\n${'x'.repeat(64)}\r\n`;
  t.same(handOver(cutter, `${data}0\r\n\r\n${GET}`), [`${data}0\r\n\r\n`, GET]);
  t.equal(cutter.isBetweenRequests(), false, 'the parser has not said so');
});
