import t from 'tap';
import { shareReadings } from '../../src/lib/shared-reading.ts';

interface Reading {
  readonly found: (what: string) => void;
  readonly failed: (error: Error) => void;
}

function readings() {
  const begun: Reading[] = [];
  const ask = shareReadings(
    () => new Promise<string>((resolve, reject) => begun.push({ found: resolve, failed: reject })),
  );
  return { begun, ask };
}

t.test('one reading at a time, and the next for all who ask during it', async (t) => {
  const { begun, ask } = readings();
  const first = [ask(), ask()];
  await Promise.resolve();
  t.equal(begun.length, 1, 'who asks at once is told by one');
  const during = [ask(), ask(), ask()];
  await new Promise(setImmediate);
  t.equal(begun.length, 1, 'no second one beside it');
  begun[0]?.found('a');
  t.same(await Promise.all(first), ['a', 'a']);
  await new Promise(setImmediate);
  t.equal(begun.length, 2);
  begun[1]?.found('b');
  t.same(await Promise.all(during), ['b', 'b', 'b'], 'what was found before the question is no answer');
  const later = ask();
  await new Promise(setImmediate);
  begun[2]?.found('c');
  t.equal(await later, 'c');
});

t.test('one that fails hinders no other', async (t) => {
  const { begun, ask } = readings();
  const first = t.rejects(ask(), /away/);
  await new Promise(setImmediate);
  const second = ask();
  begun[0]?.failed(new Error('it is away'));
  await first;
  await new Promise(setImmediate);
  begun[1]?.found('there');
  t.equal(await second, 'there');
});
