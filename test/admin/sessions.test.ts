import t from 'tap';
import { createSessions } from '../../src/admin/sessions.ts';
import { EDITOR } from '../support/admin-client.ts';

function sessions() {
  let now = 1_000_000;
  let seed = 0;
  const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(seed++ % 256, 0, 1).fill(seed >> 8, 1, 2);
  const made = createSessions({ now: () => now, random });
  return { ...made, open: () => made.open(EDITOR), openFor: made.open, advance: (ms: number) => void (now += ms) };
}

const HOUR = 3_600_000;

t.test('a session is found by its id alone, and its name opens nothing', async (t) => {
  const { open, use, end } = sessions();
  const { id, name } = open();
  t.equal(id.length, 43);
  t.equal(use(id)?.name, name);
  for (const other of [name, '', id.slice(0, -1), `${id} `]) t.equal(use(other), null);
  end(id);
  t.equal(use(id), null);
});

t.test('it ends after an hour of rest, or after twelve hours', async (t) => {
  const { open, use, isOpen, advance } = sessions();
  const { id, name } = open();
  advance(HOUR - 1);
  t.ok(use(id));
  advance(HOUR - 1);
  t.ok(isOpen(name), 'asking is no use');
  t.ok(isOpen(name));
  advance(1);
  t.notOk(isOpen(name));
  t.equal(use(id), null);
  const long = open();
  for (let i = 0; i < 23; i++) {
    advance(HOUR / 2);
    t.ok(use(long.id));
  }
  advance(HOUR / 2);
  t.equal(use(long.id), null);
});

t.test('of too many, the one used longest ago goes', async (t) => {
  const { open, use } = sessions();
  const ids = Array.from({ length: 100 }, () => open().id);
  t.ok(use(ids[0] as string));
  open();
  t.ok(use(ids[0] as string));
  t.equal(use(ids[1] as string), null);
  t.ok(use(ids[2] as string));
});

t.test('a session is open by its own name alone, whatever others there are', async (t) => {
  const { open, end, isOpen, advance } = sessions();
  const first = open();
  advance(HOUR / 2);
  const second = open();
  t.same([isOpen(first.name), isOpen(second.name), isOpen('0'.repeat(12)), isOpen('')], [true, true, false, false]);
  end(first.id);
  t.same([isOpen(first.name), isOpen(second.name)], [false, true]);
  const third = open();
  advance(HOUR - 1);
  t.same([isOpen(second.name), isOpen(third.name)], [true, true]);
  t.equal(second.name.length, 12);
});

t.test('sessions end with the token that they were opened with, and others go on', async (t) => {
  const { open, openFor, use, isOpen, endWithout } = sessions();
  const anna = { id: 'anna', role: 'viewer', digest: '0'.repeat(64) } as const;
  const [mine, hers, hersToo] = [open(), openFor(anna), openFor(anna)];
  t.equal(use(hers.id)?.token, anna);
  endWithout((token) => token !== anna);
  t.same([isOpen(mine.name), isOpen(hers.name), isOpen(hersToo.name)], [true, false, false]);
  t.equal(use(hers.id), null);
  t.equal(use(mine.id)?.token, EDITOR);
});
