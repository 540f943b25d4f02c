import t from 'tap';
import type { Call } from '../../src/admin/operation.ts';
import { problem } from '../../src/admin/problem.ts';
import { rejectionOperations } from '../../src/admin/rejection-operations.ts';
import type { Rejection } from '../../src/observability/outcome.ts';
import { createRecentRejections } from '../../src/observability/recent-rejections.ts';
import { asking } from '../support/admin-operations.ts';
import { NOON } from '../support/outcomes.ts';

t.test('refusals by every filter, newest first, and no more than are asked for', async (t) => {
  const recent = createRecentRejections();
  const streams = {
    open: () => problem('too_many_followers', 'Too many.'),
    endInvalid: () => undefined,
    close: () => undefined,
  };
  const summary = { version: () => '', read: () => ({}) as never };
  const operations = rejectionOperations({ recent, summary, streams, now: () => NOON });
  const rejection = { keyId: 'web', reason: 'a', clientIp: '192.0.2.1', path: '/a', requestId: 'r1', mode: 'enforce' };
  const others = [
    {},
    { keyId: 'k' },
    { reason: 'b' },
    { clientIp: '::1' },
    { path: '/b' },
    { requestId: 'r2' },
    { mode: 'report' },
    { events: ['login'] },
  ];
  for (const other of others) recent.add({ ...rejection, ...other } as unknown as Rejection);
  const ask = asking(operations);
  const found = async (query: object) => {
    const { status, body } = await ask('listRejections', { query });
    return [status, body.rejections?.length];
  };
  const { body } = await ask('listRejections');
  t.same(body.rejections[0], { ...rejection, events: ['login'] });
  t.same(await found({}), [200, 8]);
  t.same(await found({ limit: '3' }), [200, 3]);
  for (const query of [
    { key: 'k' },
    { reason: 'b' },
    { address: '::1' },
    { path: '/b' },
    { requestId: 'r2' },
    { mode: 'report' },
    { event: 'login' },
  ])
    t.same(await found(query), [200, 1], JSON.stringify(query));
  t.same(await found({ key: 'k', reason: 'b' }), [200, 0]);
  t.same(await found({ limit: '0' }), [422, undefined]);
  const stream = operations.find(({ operationId }) => operationId === 'streamRejections');
  if (stream === undefined || !('stream' in stream)) throw new Error('no stream');
  const open = (query: object) => stream.stream({ query } as Call, {} as never, {} as never)?.code;
  t.same(
    [open({}), open({ limit: '1' }), open({ key: 'k' })],
    ['too_many_followers', 'invalid_request', 'too_many_followers'],
  );
});

t.test('the summary: an hour or what was asked for, and not sent again while it says the same', async (t) => {
  let version = 'a';
  const asked: number[] = [];
  const operations = (start: number) =>
    rejectionOperations({
      recent: createRecentRejections(),
      summary: {
        version: () => version,
        read: (_now, minutes = 0) => (asked.push(minutes), { since: 'then' }) as never,
      },
      streams: { open: () => null, endInvalid: () => undefined, close: () => undefined },
      now: () => start,
    });
  const ask = asking(operations(NOON));
  const first = await ask('getSummary');
  t.same([first.status, first.body], [200, { since: 'then' }]);
  const day = await ask('getSummary', { query: { minutes: '1440' } });
  t.same(asked, [60, 1440]);
  t.not(day.tag, first.tag, 'another range is another answer');
  const ifNoneMatch = first.tag ?? '';
  t.same((await ask('getSummary', { ifNoneMatch })).status, 304);
  t.same((await asking(operations(NOON + 1))('getSummary', { ifNoneMatch })).status, 200, 'of another process');
  version = 'b';
  t.same((await ask('getSummary', { ifNoneMatch })).status, 200);
  for (const minutes of ['0', '1441', 'x']) t.equal((await ask('getSummary', { query: { minutes } })).status, 422);
});
