/** What is put off to the end of a turn happens in order, after all that the turn brings. */
import t from 'tap';
import { deliverAtTurnEnd } from '../../src/lib/turn-end.ts';

const noting =
  (log: string[], name: string, then = (): void => {}) =>
  (): void => {
    log.push(name);
    then();
  };

t.test('in the order asked for, after ticks and promises', async (t) => {
  const log: string[] = [];
  deliverAtTurnEnd(noting(log, 'first'));
  deliverAtTurnEnd(noting(log, 'second'));
  process.nextTick(() => log.push('tick'));
  void Promise.resolve().then(() => log.push('promise'));
  await new Promise(setImmediate);
  t.same(log.toSorted(), ['first', 'promise', 'second', 'tick']);
  t.ok(log.indexOf('tick') < log.indexOf('first') && log.indexOf('first') < log.indexOf('second'));
});

t.test('what a delivery puts off in turn comes with the next turn', async (t) => {
  const log: string[] = [];
  deliverAtTurnEnd(noting(log, 'outer', () => deliverAtTurnEnd(noting(log, 'inner'))));
  await new Promise(setImmediate);
  t.same(log, ['outer']);
  await new Promise(setImmediate);
  t.same(log, ['outer', 'inner']);
});
