/** What is put off to the end of a turn happens in order, after all that the turn brings. */
import t from 'tap';
import { atTurnEnd } from '../../src/lib/turn-end.ts';

const noting =
  (log: string[], name: string, then = (): void => {}) =>
  (): void => {
    log.push(name);
    then();
  };

t.test('in the order asked for, after ticks and promises', async (t) => {
  const log: string[] = [];
  atTurnEnd(noting(log, 'first'));
  atTurnEnd(noting(log, 'second'));
  process.nextTick(() => log.push('tick'));
  void Promise.resolve().then(() => log.push('promise'));
  await new Promise(setImmediate);
  t.same(log.toSorted(), ['first', 'promise', 'second', 'tick']);
  t.ok(log.indexOf('tick') < log.indexOf('first') && log.indexOf('first') < log.indexOf('second'));
});

t.test('what is put off at the end of a turn comes in the same turn, after all before it', async (t) => {
  const log: string[] = [];
  atTurnEnd(noting(log, 'outer', () => atTurnEnd(noting(log, 'inner'))));
  atTurnEnd(noting(log, 'other'));
  await new Promise(setImmediate);
  t.same(log, ['outer', 'other', 'inner']);
  atTurnEnd(noting(log, 'next'));
  await new Promise(setImmediate);
  t.same(log, ['outer', 'other', 'inner', 'next']);
});
