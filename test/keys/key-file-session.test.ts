import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { KeyDefinition } from '../../src/keys/definition.ts';
import { withKeyFile, type KeyFileSession } from '../../src/keys/key-file-session.ts';

const never = new AbortController().signal;

/** About 100 bytes a key. */
function contextOf(t: Test, keys: number, extra = '') {
  const key = (index: number): string =>
    `  - { id: key-${index}, type: write-only, secret: "secret-of-a-key-${index}", description: "one of many" }\n`;
  const file = join(t.testdir(), 'keys.yaml');
  writeFileSync(file, `keys:\n${Array.from({ length: keys }, (_, index) => key(index)).join('')}${extra}`);
  return { file, env: { A: 'b' }, apis: ['integration'] };
}

const disabled = async ({ key, change }: KeyFileSession) => {
  const definition = (await key('key-1')) as KeyDefinition;
  return change({ section: 'keys', id: 'key-1', after: { ...definition, enabled: false } });
};

for (const [size, keys] of Object.entries({ small: 3, large: 1200 })) {
  t.test(`a ${size} file tells what it holds, and is changed`, async (t) => {
    const context = contextOf(t, keys, 'policies: { p: { mode: report } }\n');
    const changed = await withKeyFile(context, never, async (session) => {
      t.equal(await session.key('none'), null);
      t.match(await session.record('policies', 'p'), { stored: { id: 'p' } });
      const text = Buffer.from(session.bytes).toString();
      const next = await disabled(session);
      t.ok(next.ok && next.value instanceof Uint8Array);
      return next.ok ? { ok: true, value: [text, Buffer.from(next.value).toString()] } : next;
    });
    const [before = '', after] = changed.ok ? changed.value : [];
    t.match(before, /^keys:\n {2}- \{ id: key-0/);
    t.equal(after, before.replace(/(key-1", description: "one of many") \}/, '$1, enabled: false }'));
  });

  t.test(`a ${size} file that cannot be used is told`, async (t) => {
    const use = async () => ({ ok: true, value: null }) as const;
    const mistake = contextOf(t, keys, '  - { id: B }\n');
    t.match(await withKeyFile(mistake, never, use), {
      failure: { kind: 'unavailable', why: /corrected first: .*:\d+:\d+ error / },
    });
    const context = contextOf(t, keys);
    writeFileSync(context.file, Buffer.concat([Buffer.alloc(keys * 100, '#'), Buffer.from([0xff])]));
    t.match(await withKeyFile(context, never, use), {
      failure: { kind: 'unavailable', why: /cannot be read: ERR_ENCODING/ },
    });
    const gone = { ...context, file: `${context.file}.none` };
    t.match(await withKeyFile(gone, never, use), { failure: { kind: 'unavailable', why: /cannot be read: ENOENT/ } });
  });
}

t.test('others are served while a large file is changed', async (t) => {
  const context = contextOf(t, 2000);
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  t.match(await withKeyFile(context, never, disabled), { ok: true });
  clearInterval(turning);
  t.ok(turns > 20, `the event loop came round ${turns} times`);
});

t.test('a change that is given up ends', async (t) => {
  const given = new AbortController();
  const changing = withKeyFile(contextOf(t, 2000), given.signal, disabled);
  given.abort();
  await t.rejects(changing, /ended too early/);
  await t.rejects(withKeyFile(contextOf(t, 1200), given.signal, disabled), { name: 'AbortError' });
});
