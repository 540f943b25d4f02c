import t from 'tap';
import type { Answer, Call } from '../../src/admin/operation.ts';
import { problem } from '../../src/admin/problem.ts';
import { createRepeats } from '../../src/admin/repeats.ts';

const TOKEN = { id: 'admin', role: 'editor', digest: '' } as const;
const session = (name: string) => ({ token: TOKEN, session: { name, endsAt: 0, token: TOKEN } });

const call = (more: Partial<Call> = {}): Call => ({
  method: 'POST',
  params: { id: 'web' },
  query: {},
  body: { overlapSeconds: 60 },
  ifMatch: undefined,
  ifNoneMatch: undefined,
  idempotencyKey: 'a-random-name',
  caller: { token: TOKEN, session: null },
  address: '127.0.0.1',
  ...more,
});

function started() {
  let now = 0;
  let made = 0;
  const repeats = createRepeats({ now: () => now });
  const send = (more: Partial<Call> = {}, make?: () => Answer | Promise<Answer>) =>
    repeats.once(call(more), 'rotateSecret', make ?? (() => ({ status: 201, body: { made: ++made } })));
  return { send, pass: (ms: number) => (now += ms), made: () => made };
}

void t.test('what is sent again under the same name is made once, also while the first is under way', async (t) => {
  const { send, made } = started();
  const [first, second] = await Promise.all([send(), send()]);
  t.same(first, { status: 201, body: { made: 1 } });
  t.same([second, await send()], [first, first]);
  t.equal(made(), 1);
});

void t.test('each caller, and each name, has its own', async (t) => {
  const { send, made } = started();
  await send();
  await send({ caller: session('a') });
  await send({ caller: session('b') });
  await send({ idempotencyKey: 'another-name' });
  await send({ caller: { token: { ...TOKEN, id: 'another' }, session: null } });
  await send({ caller: { token: { ...TOKEN, digest: 'another' }, session: null } });
  t.equal(made(), 6);
  await send({ idempotencyKey: undefined });
  await send({ idempotencyKey: undefined });
  t.equal(made(), 8, 'without a name each request makes something');
});

void t.test('another request under a used name is refused', async (t) => {
  const { send, made } = started();
  await send();
  const others = [{ body: { overlapSeconds: 61 } }, { params: { id: 'other' } }, { ifMatch: '"tag"' }];
  for (const other of others) t.match(await send(other), { code: 'idempotency_key_reused' });
  t.equal(made(), 1);
});

void t.test('a name is one visible text of bounded length', async (t) => {
  const { send, made } = started();
  for (const idempotencyKey of ['', 'a b', 'one, two', 'ä', 'x'.repeat(256)])
    t.match(await send({ idempotencyKey }), { code: 'malformed_request' }, idempotencyKey);
  t.equal(made(), 0);
  await send({ idempotencyKey: 'x'.repeat(255) });
  await send({ idempotencyKey: '!"#/09~' });
  t.equal(made(), 2);
  for (const idempotencyKey of ['a\u007f', 'a\n', '\ta'])
    t.match(await send({ idempotencyKey }), { code: 'malformed_request' });
});

void t.test('what was refused or failed may be tried again', async (t) => {
  const { send } = started();
  t.match(await send({}, () => problem('source_unavailable', 'away')), { code: 'source_unavailable' });
  await t.rejects(
    send({}, () => Promise.reject(new Error('a bug'))),
    { message: 'a bug' },
  );
  t.same(await send(), { status: 201, body: { made: 1 } });
});

void t.test('an answer is held for ten minutes, and at most 200 are', async (t) => {
  const { send, pass, made } = started();
  await send();
  pass(599_999);
  await send();
  t.equal(made(), 1);
  pass(1);
  await send();
  t.equal(made(), 2);
  pass(600_000);
  for (let i = 0; i < 200; i++) await send({ idempotencyKey: `name-${i}` });
  await send({ idempotencyKey: 'name-0' });
  t.equal(made(), 202, 'all of them are held');
  await send({ idempotencyKey: 'name-200' });
  await send({ idempotencyKey: 'name-1' });
  t.equal(made(), 203, 'the oldest but one is held');
  await send({ idempotencyKey: 'name-0' });
  t.equal(made(), 204, 'the oldest is not');
});
