import { getEventListeners } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { KeyDefinition } from '../../src/keys/definition.ts';
import {
  LARGE_AT_START,
  readKeyFile,
  streamHere,
  type KeyFileQuestion,
  type KeyFileReading,
} from '../../src/keys/read-key-file.ts';

const HASH = `sha256:${'0'.repeat(56)}`;

/** About 100 bytes a key. */
function fileOf(t: Test, keys: number, extra = ''): string {
  const key = (index: number): string =>
    `  - { id: key-${index}, type: write-only, secrets: [{ hash: "${HASH}${String(index).padStart(8, '0')}" }] }\n`;
  const file = join(t.testdir(), 'keys.yaml');
  writeFileSync(file, `keys:\n${Array.from({ length: keys }, (_, index) => key(index)).join('')}${extra}`);
  return file;
}

const never = new AbortController().signal;

interface Taken {
  begun: number;
  definitions: KeyDefinition[];
  /** The most that came at once. */
  most: number;
}

function taker() {
  const taken: Taken = { begun: 0, definitions: [], most: 0 };
  return {
    taken,
    begin() {
      taken.begun += 1;
      taken.definitions = [];
    },
    keys(part: readonly KeyDefinition[]) {
      taken.definitions.push(...part);
      taken.most = Math.max(taken.most, part.length);
    },
  };
}

t.test('a start reads a large file at once, without a thread', async (t) => {
  const question = { file: fileOf(t, 1200), env: {} };
  const countAtOnce = async (large?: number): Promise<number> => {
    const taking = taker();
    const reading = readKeyFile(question, never, taking, large);
    const atOnce = taking.taken.definitions.length;
    t.equal((await reading).valid, true);
    t.equal(taking.taken.definitions.length, 1200);
    return atOnce;
  };
  t.equal(await countAtOnce(LARGE_AT_START), 1200);
  t.equal(await countAtOnce(), 0);
});

type Read = KeyFileReading & Pick<Taken, 'definitions' | 'most'>;

async function read(question: KeyFileQuestion, signal = never): Promise<Read> {
  const taking = taker();
  const reading = await readKeyFile(question, signal, taking);
  return { ...reading, definitions: taking.taken.definitions, most: taking.taken.most };
}

function readHere(question: KeyFileQuestion): Omit<Read, 'most'> {
  const taking = taker();
  return { ...streamHere(question, taking), definitions: taking.taken.definitions };
}

const SECRET = '  - { id: own, type: write-only, secret: "${THE_SECRET}" }\n';
const MISTAKES = '  - { id: B, type: write-only }\n  - { id: key-0, type: nothing }\n';

for (const [size, keys] of Object.entries({ small: 3, large: 1200 })) {
  t.test(`a ${size} file is read into its definitions`, async (t) => {
    const question = { file: fileOf(t, keys, SECRET), env: { THE_SECRET: 'of the environment' } };
    const { most, ...reading } = await read(question);
    t.same(reading, readHere(question));
    t.equal(reading.definitions.length, keys + 1);
    t.ok(most <= 250, `${most} at once`);
    t.same(reading.errors, []);
  });

  t.test(`the mistakes in a ${size} file are told in reading order`, async (t) => {
    const question = { file: fileOf(t, keys, MISTAKES), env: {} };
    const { most: _, ...reading } = await read(question);
    t.same({ ...reading, definitions: [] }, { ...readHere(question), definitions: [] });
    t.equal(reading.valid, false);
    t.match(reading.errors[0], new RegExp(`keys\\.yaml:${keys + 2}:\\d+ error `));
  });
}

t.test('others are served while a large file is read', async (t) => {
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  const { definitions } = await read({ file: fileOf(t, 2000), env: {} });
  clearInterval(turning);
  t.equal(definitions.length, 2000);
  t.ok(turns > 20, `the event loop came round ${turns} times`);
});

t.test('a reading that is given up ends', async (t) => {
  const given = new AbortController();
  const reading = readKeyFile({ file: fileOf(t, 2000), env: {} }, given.signal);
  given.abort();
  await t.rejects(reading, /ended too early/);
});

t.test('a reading that was given up before does not begin', async (t) => {
  await t.rejects(readKeyFile({ file: fileOf(t, 2000), env: {} }, AbortSignal.abort()), { name: 'AbortError' });
});

t.test('a reading that is over holds on to nothing', async (t) => {
  const { signal } = new AbortController();
  await readKeyFile({ file: fileOf(t, 1200), env: {} }, signal);
  // The thread ends after its last message.
  while (getEventListeners(signal, 'abort').length > 0) await new Promise(setImmediate);
  t.same(getEventListeners(signal, 'abort'), []);
});

t.test('a file that is not there is a finding', async (t) => {
  const { valid, errors } = await readKeyFile({ file: join(t.testdir(), 'none.yaml'), env: {} }, never);
  t.equal(valid, false);
  t.match(errors, [/none\.yaml:1:1 error .* cannot be read/]);
});

t.test('a file that turns out to be readable only as a whole is read from the beginning', async (t) => {
  const question = { file: fileOf(t, 1200, '  - { id: own, type: write-only, secret: *secret }\n'), env: {} };
  const policies = 'policies:\n  p: { description: &secret a secret of its own }\n';
  writeFileSync(question.file, policies + readFileSync(question.file, 'utf8'));
  const { definitions, valid, errors } = await read(question);
  t.same(errors, []);
  t.equal(valid, true);
  t.equal(definitions.length, 1201);
});
