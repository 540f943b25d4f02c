import t from 'tap';
import { runHash } from '../../src/commands/hash.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';
import { capturedIo } from '../support/command-io.ts';

async function hash(stdin: string) {
  const { io, out, err } = capturedIo({ stdin });
  return { code: await runHash(io), out: out.join('\n'), err: err.join('\n') };
}

t.test('one line, with or without its end', async (t) => {
  for (const stdin of ['hunter2', 'hunter2\n', 'hunter2\r\n'])
    t.same(await hash(stdin), { code: 0, out: hashSecret('hunter2'), err: '' });
  t.equal((await hash('with a space')).out, hashSecret('with a space'));
});

t.test('nothing usable', async (t) => {
  for (const [stdin, why] of Object.entries({
    '': /must not be empty/,
    '\n': /must not be empty/,
    'hunter2\nhunter2\n': /must be one line/,
    'hunter2\n\n': /must be one line/,
    ' hunter2': /without a space at either end/,
    hünter2: /printable ASCII/,
  })) {
    const { code, out, err } = await hash(stdin);
    t.equal(code, 2);
    t.equal(out, '');
    t.match(err, why, JSON.stringify(stdin));
    t.notMatch(err, /hunter2/);
  }
});
