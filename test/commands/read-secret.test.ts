import { PassThrough } from 'node:stream';
import t from 'tap';
import { readSecret, type SecretInput } from '../../src/commands/read-secret.ts';

/** A terminal at which the pieces are typed, and what it is told. */
async function typed(...pieces: readonly (string | null)[]) {
  const told: (string | boolean)[] = [];
  const input: SecretInput = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (on: boolean) => told.push(on),
  });
  const reading = readSecret(input, (what) => told.push(what));
  for (const piece of pieces) {
    if (piece === null) (input as PassThrough).end();
    else (input as PassThrough).write(piece);
  }
  const line = await reading;
  // A process that still listened to its terminal would not end.
  return { line, told, left: [(input as PassThrough).isPaused(), input.listenerCount('data')] };
}

t.test('at a terminal a line is asked for, and nothing of it is shown', async (t) => {
  const { line, told, left } = await typed('a secr', 'et\rmore');
  t.equal(line, 'a secret');
  t.same(left, [true, 0], 'the terminal is left alone');
  t.same(told, [true, 'Secret (it is not shown): ', false, '\n'], 'nothing is shown from before it asks');
  t.equal((await typed('key\n')).line, 'key');
});

t.test('a line can be mended, ended and given up', async (t) => {
  t.equal((await typed('kez\u007fx\by\r')).line, 'key');
  t.equal((await typed('\u007f\u007fkey\r')).line, 'key');
  t.equal((await typed('wrong\u0015key\r')).line, 'key');
  t.equal((await typed('key\u0004')).line, 'key');
  t.equal((await typed('\u0004')).line, '');
  t.equal((await typed('key', null)).line, 'key');
  const gone = await typed('key\u0003');
  t.equal(gone.line, null);
  t.equal(gone.told.at(-2), false);
});

t.test('what is no terminal is read to its end, and asked nothing', async (t) => {
  const told: string[] = [];
  const input = new PassThrough();
  input.end('key\nmore\n');
  t.equal(await readSecret(input, (what) => told.push(what)), 'key\nmore\n');
  t.same(told, []);
});
