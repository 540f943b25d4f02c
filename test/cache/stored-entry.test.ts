import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { decodeEntry, encodeEntry } from '../../src/cache/stored-entry.ts';
import { answerEntry, KEY, OTHER_KEY } from './store-contract.ts';

const stored = { entry: answerEntry(), expiresAt: 1_780_000_300_123, generation: 'g' };

t.test('any answer comes back as it was', (t) => {
  const answer = fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    statusText: fc.string(),
    headers: fc.array(fc.tuple(fc.string(), fc.string())).map((fields) => fields.flat()),
    body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    storedAt: fc.nat(),
    freshMs: fc.nat(),
    initialAge: fc.nat(),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(answer, (changes) => {
        const whole = { ...stored, entry: answerEntry(changes) };
        t.same(decodeEntry(KEY, encodeEntry(KEY, whole)), whole);
      }),
    ),
  );
  t.end();
});

t.test('under another key it is nothing', (t) => {
  t.equal(decodeEntry(OTHER_KEY, encodeEntry(KEY, stored)), undefined);
  t.end();
});

t.test('cut, lengthened or changed anywhere it is nothing', (t) => {
  const bytes = encodeEntry(KEY, stored);
  for (let length = 0; length < bytes.length; length += 1)
    if (decodeEntry(KEY, bytes.subarray(0, length)) !== undefined) t.fail(`cut to ${length}`);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    if (decodeEntry(KEY, changed) !== undefined) t.fail(`changed at ${at}`);
  }
  t.equal(decodeEntry(KEY, Buffer.concat([bytes, Buffer.from('x')])), undefined);
  t.ok(decodeEntry(KEY, bytes));
  t.end();
});

t.test('a right digest over a wrong description is not enough', (t) => {
  const wrong = [
    { status: 100 },
    { status: 600 },
    { status: Number.NaN },
    { status: '200' },
    { headers: ['odd'] },
    { headers: [1, 2] },
    { headers: ['X-A', 'a\r\nX-B: c'] },
    { headers: ['X-A', 'a\0'] },
    { headers: ['X-A', '\u0101'] },
    { headers: ['X-A\n', 'a'] },
    { storedAt: -1 },
    { freshMs: null },
    { initialAge: -1 },
    { initialAge: '1' },
    { kind: 'other' },
    { statusText: 7 },
  ];
  for (const change of wrong) {
    const entry = { ...answerEntry(), ...change } as ReturnType<typeof answerEntry>;
    t.equal(decodeEntry(KEY, encodeEntry(KEY, { ...stored, entry })), undefined, JSON.stringify(change));
  }
  t.equal(decodeEntry(KEY, encodeEntry(KEY, { ...stored, expiresAt: Number.NaN })), undefined);
  t.end();
});

t.test('an entry is of one of the kinds that there are, each with its own form', (t) => {
  const vary = { ...stored, entry: { kind: 'vary', names: ['accept', 'origin'] } as const };
  t.same(decodeEntry(KEY, encodeEntry(KEY, vary)), vary, 'names of fields');
  for (const change of [
    { kind: 'other', names: ['accept'] },
    { kind: 'vary', names: 'accept' },
    { kind: 'vary', names: { length: 0 } },
    { kind: 'vary', names: null },
    { kind: 'vary', names: [1] },
    { kind: 'answer', names: ['accept'] },
  ]) {
    const entry = change as unknown as typeof stored.entry;
    if (change.kind === 'answer') Object.assign(entry, { body: Buffer.alloc(0) });
    t.equal(decodeEntry(KEY, encodeEntry(KEY, { ...stored, entry })), undefined, JSON.stringify(change));
  }
  t.equal(
    decodeEntry(KEY, encodeEntry(KEY, { ...stored, entry: { ...answerEntry(), headers: 'ab' as never } })),
    undefined,
    'a text is no list of texts',
  );
  t.end();
});

t.test('a right digest over what is no description is nothing', async (t) => {
  for (const description of ['null', '7', '"text"', '[]', '{', '']) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(description.length);
    const rest = Buffer.concat([length, Buffer.from(description)]);
    const digest = createHash('sha256').update(`${KEY}\n`).update(rest).digest();
    t.equal(decodeEntry(KEY, Buffer.concat([Buffer.from('postern-cache-1\n'), digest, rest])), undefined, description);
  }
});
