import t from 'tap';
import { createTallies } from '../../src/lib/tallies.ts';

interface Tally {
  readonly name: string;
  count: number;
}

const tallies = () => {
  let made = 0;
  const own = createTallies<Tally>({
    make: (name) => (made++, { name, count: 0 }),
    isIdle: ({ count }) => count === 0,
  });
  return { of: own.of, made: () => made };
};

t.test('a name has one tally', async (t) => {
  const { of, made } = tallies();
  t.equal(of('a'), of('a'));
  t.not(of('a'), of('constructor'));
  t.equal(made(), 2);
});

t.test('however many names there were, what counts something is kept and the rest is not', async (t) => {
  const { of, made } = tallies();
  const busy = Array.from({ length: 10 }, (_, n) => of(`busy ${n}`));
  for (const tally of busy) tally.count = 1;
  for (let n = 0; n < 20_000; n++) of(`idle ${n}`);
  t.equal(made(), 20_010);
  for (const tally of busy) t.equal(of(tally.name), tally);
  of('idle 0');
  t.equal(made(), 20_011, 'it was forgotten, and made anew');
});

t.test('the 1,025th name makes the idle ones go, and not one earlier', async (t) => {
  const { of, made } = tallies();
  for (let n = 0; n < 1024; n++) of(`${n}`);
  of('0');
  t.equal(made(), 1024);
  of('one more');
  of('0');
  t.equal(made(), 1026);
});

t.test('many that count something are not looked through for each new one', async (t) => {
  const looked = { times: 0 };
  const own = createTallies<Tally>({
    make: (name) => ({ name, count: 1 }),
    isIdle: ({ count }) => (looked.times++, count === 0),
  });
  for (let n = 0; n < 50_000; n++) own.of(`${n}`);
  t.ok(looked.times < 150_000, `${looked.times} for 50,000`);
});
