import t from 'tap';
import { collect, type Collected, type CollectSettings } from '../../src/cache/collect.ts';
import { Client, fakeUpstream, type UpstreamCall } from '../support/cached-upstream.ts';

type Stream = Collected & { readonly kind: 'stream' };

function begin({ maxBytes = 10, keeps = () => true }: Partial<CollectSettings> = {}) {
  const upstream = fakeUpstream();
  const { result, abort } = collect(upstream.send, { maxBytes, keeps });
  return { result, abort, call: upstream.calls[0] as UpstreamCall, stream: async () => (await result) as Stream };
}
const chunk = (call: UpstreamCall, text: string): boolean => call.sink.onData(Buffer.from(text));

t.test('an answer that comes in pieces is handed over in one, with the head that came first', async (t) => {
  const heads: unknown[] = [];
  const { call, result } = begin({ keeps: (head) => heads.push(head) === 1 });
  const head = { status: 201, statusText: 'Made', headers: ['X-A', '1', 'X-A', '2'] };
  call.sink.onResponse(head.status, head.headers, head.statusText);
  for (const text of ['abc', '', 'd', 'efghij']) t.equal(chunk(call, text), true, 'the backend is not held up');
  call.sink.onEnd([]);
  t.strictSame(await result, { kind: 'whole', head, body: Buffer.from('abcdefghij') });
  t.strictSame(heads, [head], 'asked once');
});

t.test('an answer without a body is whole, even where nothing may be gathered', async (t) => {
  const { call, result } = begin({ maxBytes: 0 });
  call.answer('', { status: 204, length: false });
  t.match(await result, { kind: 'whole', head: { status: 204 }, body: Buffer.alloc(0) });
});

t.test('an answer that breaks off on its last byte is a failure, not a short answer', async (t) => {
  const { call, result } = begin();
  call.sink.onResponse(200, [], 'OK');
  chunk(call, '0123456789');
  call.fail('truncated');
  const collected = await result;
  t.match(collected, { kind: 'failed', failure: { kind: 'truncated' } });
  t.notOk('body' in collected);
});

t.test('what is not worth keeping is handed over before its body comes', async (t) => {
  const { call, stream } = begin({ keeps: ({ status }) => status === 200 });
  call.sink.onResponse(404, ['X-A', '1'], 'Not Found');
  const { kind, head, take } = await stream();
  t.strictSame([kind, head], ['stream', { status: 404, statusText: 'Not Found', headers: ['X-A', '1'] }]);
  const client = new Client();
  t.ok(take(client));
  t.same([client.status, client.body, call.resumed], [404, '', 1]);
  t.equal(chunk(call, 'no'), true);
  call.sink.onEnd(['X-Sum', '1']);
  t.same([client.body, client.trailers, client.endings], ['no', ['X-Sum', '1'], 1]);
});

t.test('bytes that still arrive while the backend is held up are kept for the taker, in order', async (t) => {
  const { call, stream } = begin({ maxBytes: 2 });
  call.sink.onResponse(200, [], 'OK');
  t.strictSame(
    ['ab', 'c', 'd'].map((text) => chunk(call, text)),
    [true, false, false],
  );
  const client = new Client();
  (await stream()).take(client);
  t.equal(client.body, 'abcd');
});

t.test('only the first taker gets the answer, and the second none of it', async (t) => {
  const { call, stream } = begin({ keeps: () => false });
  call.sink.onResponse(200, [], 'OK');
  const { take } = await stream();
  const [first, second] = [new Client(), new Client()];
  t.ok(take(first));
  t.equal(take(second), null);
  call.sink.onEnd([]);
  t.same([first.endings, second.status, second.endings], [1, 0, 0]);
  t.equal(take(new Client()), null, 'nor does one that comes after the end');
});

t.test('a taker that is full already leaves the backend held up until it asks for more', async (t) => {
  const { call, stream } = begin({ maxBytes: 0 });
  call.sink.onResponse(200, [], 'OK');
  chunk(call, 'a');
  const client = new Client();
  client.accepts = false;
  const flight = (await stream()).take(client);
  t.equal(call.resumed, 0);
  flight?.resume();
  t.equal(call.resumed, 1);
});

t.test('trailers that come before a taker reach it behind the body', async (t) => {
  const { call, stream } = begin();
  call.sink.onResponse(200, [], 'OK');
  chunk(call, 'body');
  call.sink.onEnd(['X-Sum', '1']);
  const client = new Client();
  (await stream()).take(client);
  t.same([client.body, client.trailers, client.endings, call.resumed], ['body', ['X-Sum', '1'], 1, 0]);
});

t.test('a stream that breaks before it is taken tells its taker, after what had come', async (t) => {
  const { call, stream } = begin({ maxBytes: 1 });
  call.sink.onResponse(200, [], 'OK');
  chunk(call, 'ab');
  call.fail('reset');
  const client = new Client();
  (await stream()).take(client);
  t.same([client.body, client.failure?.kind, client.endings, call.resumed], ['ab', 'reset', 1, 0]);
});

t.test('an abort reaches the backend before, during and after the hand-over', async (t) => {
  for (const until of ['the head', 'the hand-over', 'the end of the test']) {
    const { call, abort, stream } = begin({ keeps: () => false });
    if (until !== 'the head') call.sink.onResponse(200, [], 'OK');
    if (until === 'the end of the test') (await stream()).take(new Client());
    t.equal(call.aborted, false);
    abort();
    t.equal(call.aborted, true, until);
  }
});
