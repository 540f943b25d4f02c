import fs, { chmodSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { KeyDefinition } from '../../src/keys/definition.ts';
import { createFileStore } from '../../src/keys/file-store.ts';
import type { Decide, KeyStore } from '../../src/keys/key-store.ts';
import { takeDraft } from '../../src/lib/file-draft.ts';
import { LISTS, POLICIES } from '../../src/keys/record-kind.ts';

const TEXT = `keys:
  - id: a # first
    type: read-write
    secret: \${SECRET}
  - id: b
    type: write-only
    secret: another-secret
`;
const ENV = { SECRET: 'from-the-environment' };

function started(t: Test, text = TEXT) {
  const file = join(t.testdir({ 'keys.yaml': text }), 'keys.yaml');
  return {
    file,
    store: createFileStore({ file, env: ENV, apis: () => ['integration'] }),
    read: () => readFileSync(file, 'utf8'),
  };
}

const describe =
  (description: string): Decide<never> =>
  (stored) => ({ next: { ...(stored as { definition: KeyDefinition }).definition, description } });

const whyNot = async (updated: ReturnType<KeyStore['update']>): Promise<string | null> => {
  const result = await updated;
  return result.ok || !('failure' in result) ? null : result.failure.kind;
};

t.test('lists and finds what the file says', async (t) => {
  const { store } = started(t);
  t.match(await store.list(), { ok: true, value: [{ id: 'a' }, { id: 'b', definition: { type: 'write-only' } }] });
  t.match(await store.get('b'), { value: { id: 'b' } });
  t.same(await store.get('c'), { ok: true, value: null });
});

t.test('writes a change, and nothing for none', async (t) => {
  const { store, read } = started(t);
  t.match(await store.update('a', describe('x')), {
    ok: true,
    before: { description: '' },
    after: { description: 'x' },
  });
  const changed = TEXT.replace('${SECRET}\n', '${SECRET}\n    description: x\n');
  t.equal(read(), changed);
  t.match(await store.update('a', describe('x')), { ok: true });
  t.same(await store.update('a', () => ({ refused: 'no' })), { ok: false, refused: 'no' });
  for (const kind of [POLICIES, LISTS] as const)
    t.same(await store.updateRecord(kind as typeof POLICIES, 'p', () => ({ refused: 'no' })), {
      ok: false,
      refused: 'no',
    });
  t.equal(read(), changed);
});

t.test('decides again on what an editor saved meanwhile', async (t) => {
  const { store, read, file } = started(t);
  const seen: (string | undefined)[] = [];
  const result = await store.update('a', (stored) => {
    const { definition } = stored as { definition: KeyDefinition };
    seen.push(definition.description);
    if (seen.length === 1) writeFileSync(file, TEXT.replace('# first', '# first\n    description: saved'));
    return { next: { ...definition, enabled: false } };
  });
  t.match(result, { ok: true, after: { description: 'saved', enabled: false } });
  t.same(seen, ['', 'saved']);
  t.match(read(), /description: saved[^]*enabled: false/);
});

t.test('gives up on a file that never rests', async (t) => {
  const { store, file } = started(t);
  let turn = 0;
  const result = store.update('a', (stored) => {
    writeFileSync(file, TEXT + `# ${turn++}\n`);
    return describe('x')(stored);
  });
  t.equal(await whyNot(result), 'unavailable');
});

t.test('follows a symbolic link to the file, and leaves the link', async (t) => {
  const { file, read } = started(t);
  const link = join(file, '..', 'link.yaml');
  symlinkSync('keys.yaml', link);
  const store = createFileStore({ file: link, env: ENV, apis: () => ['integration'] });
  t.match(await store.update('a', describe('x')), { ok: true });
  t.ok(lstatSync(link).isSymbolicLink());
  t.match(read(), 'description: x');
});

t.test('a file or folder without a write bit is read-only', async (t) => {
  for (const part of ['.', '..']) {
    const { file, store, read } = started(t);
    const path = part === '.' ? file : join(file, '..');
    t.equal(store.readOnly(), null);
    chmodSync(path, part === '.' ? 0o444 : 0o555);
    t.match(store.readOnly(), /read-only|may not/);
    t.equal(await whyNot(store.update('a', describe('x'))), 'read_only');
    chmodSync(path, 0o755);
    t.equal(read(), TEXT);
  }
});

t.test('a file that is gone or wrong is told', async (t) => {
  const { file, store } = started(t);
  writeFileSync(file, 'keys: [');
  t.match(await store.list(), { failure: { kind: 'unavailable', why: /keys\.yaml:\d+:\d+ error / } });
  t.equal(await whyNot(store.update('a', describe('x'))), 'unavailable');
  rmSync(file);
  t.match(await store.get('a'), { failure: { kind: 'unavailable' } });
  t.equal(await whyNot(store.update('a', describe('x'))), 'unavailable');
});

t.test('an anchor that would carry the change to another key is not touched', async (t) => {
  const text = `keys:
  - { id: a, type: read-write, secret: x, allowFrom: &office [192.0.2.1] }
  - { id: b, type: read-write, secret: y, allowFrom: *office }
`;
  const { store, read } = started(t, text);
  const allowFrom = [
    { address: '192.0.2.1', description: '' },
    { address: '192.0.2.2', description: '' },
  ];
  const widen: Decide<never> = (stored) => ({
    next: { ...(stored as { definition: KeyDefinition }).definition, allowFrom },
  });
  t.equal(await whyNot(store.update('a', widen)), 'not_editable');
  t.equal(read(), text);
  t.match(await store.update('b', widen), { ok: true });
  t.equal(read(), text.replace('*office', '[192.0.2.1, 192.0.2.2]'));
});

t.test('a clash with another key is told by its field', async (t) => {
  const { store, read } = started(t);
  const other = (await store.get('b')) as { value: { definition: KeyDefinition } };
  const clash = await store.update('a', (stored) => ({
    next: { ...(stored as { definition: KeyDefinition }).definition, secrets: other.value.definition.secrets },
  }));
  t.match(clash, {
    failure: { kind: 'contradiction', findings: [{ path: [/^secret/], message: /is also a secret of the key a/ }] },
  });
  t.equal(read(), TEXT);
});

t.test('what the file system refuses for good makes a store read-only, anything else does not', async (t) => {
  const { accessSync } = fs;
  const fail = (code: string): void => {
    fs.accessSync = () => {
      throw Object.assign(new Error('refused'), { code });
    };
    syncBuiltinESMExports();
  };
  t.teardown(() => {
    fs.accessSync = accessSync;
    syncBuiltinESMExports();
  });
  const { store, read } = started(t);
  for (const code of ['EACCES', 'EPERM', 'EROFS', 'EBUSY']) {
    fail(code);
    t.match(store.readOnly(), /may not be written to/, code);
    t.equal(await whyNot(store.update('a', describe('x'))), 'read_only', code);
  }
  t.equal(read(), TEXT);
  fail('ENOENT');
  t.equal(store.readOnly(), null);
});

t.test('changes that come together are made one after the other', async (t) => {
  const { store, read } = started(t);
  const made = await Promise.all([
    store.update('a', describe('x')),
    store.update('b', describe('y')),
    store.updateRecord(POLICIES, 'p', () => ({ next: { mode: 'report' as const } })),
  ]);
  t.same(
    made.map(({ ok }) => ok),
    [true, true, true],
  );
  t.match(read(), /description: x[^]*description: 'y'[^]*policies:\n {2}p: \{ mode: report \}/);
});

t.test('a change beside that of another process waits for it, and is then given up', async (t) => {
  const { file, store, read } = started(t);
  const draft = await takeDraft(file);
  t.ok(draft);
  // It looks again a hundred times, which are over at once here.
  const { setTimeout: real } = globalThis;
  Object.assign(globalThis, { setTimeout: (run: () => void) => real(run, 0) });
  t.teardown(() => Object.assign(globalThis, { setTimeout: real }));
  t.match(await store.update('a', describe('x')), {
    failure: { kind: 'unavailable', why: 'Somebody else is changing the key file. Try again.' },
  });
  draft?.release();
  t.equal(read(), TEXT);
  t.match(await store.update('a', describe('x')), { ok: true });
});

t.test('policies and lists are changed, and everything is told in the order of the file', async (t) => {
  const { store, read } = started(t);
  t.match(await store.updateRecord(POLICIES, 'p', () => ({ next: { mode: 'report' as const } })), {
    ok: true,
    before: null,
    after: { mode: 'report' },
  });
  const seen: unknown[] = [];
  t.match(
    await store.updateRecord(
      POLICIES,
      'p',
      (stored, users) => (seen.push(stored, users), { next: { mode: 'enforce' as const } }),
    ),
    { ok: true, before: { mode: 'report' }, after: { mode: 'enforce' } },
  );
  t.same(seen, [
    { id: 'p', definition: { mode: 'report' } },
    { keys: [], policies: [] },
  ]);
  const list = { kind: 'literal', entries: [{ address: '192.0.2.1', description: '' }] } as const;
  t.match(await store.updateRecord(LISTS, 'l', () => ({ next: list })), { ok: true, before: null });
  t.match(await store.updateRecord(LISTS, 'l', () => ({ next: null })), { ok: true, before: list, after: null });
  t.match(await store.updateRecord(POLICIES, 'p', () => ({ next: { apis: ['nowhere'] } })), {
    failure: { kind: 'contradiction', findings: [{ path: ['apis[0]'] }] },
  });
  const everything = await store.everything();
  t.match(everything, { ok: true, value: { definitions: [{ id: 'a' }, { id: 'b' }] } });
  t.same(everything.ok && [...everything.value.records.policies], [
    ['p', { id: 'p', definition: { mode: 'enforce' } }],
  ]);
  t.match(await store.update('c', (stored) => ({ refused: stored })), { ok: false, refused: null });
  t.match(await store.update('a', () => ({ next: null })), { ok: true, after: null });
  t.notMatch(read(), 'id: a');
});

t.test('a file that is not there, or only for others, says so', async (t) => {
  const { file, store } = started(t);
  rmSync(file);
  t.equal(store.readOnly(), null);
  t.same(await store.list(), {
    ok: false,
    failure: { kind: 'unavailable', why: 'The key file cannot be read: ENOENT.' },
  });
  t.match(await store.update('a', describe('x')), {
    failure: { kind: 'unavailable', why: 'The key file cannot be written: ENOENT.' },
  });
});

t.test('many questions about a large file at once are few readings of it', async (t) => {
  const keys = Array.from(
    { length: 1500 },
    (_, i) => `  - { id: k${i}, type: read-only, secret: the-secret-of-k${i} }\n`,
  );
  const { store } = started(t, `keys:\n${keys.join('')}`);
  let threads = 0;
  const count = (): void => void (threads += 1);
  process.on('worker', count);
  t.teardown(() => process.off('worker', count));
  const asked = Array.from({ length: 20 }, async (_, i) => store.get(`k${i * 100}`));
  const found = await Promise.all(asked);
  for (const [i, one] of found.entries())
    t.match(one, i < 15 ? { ok: true, value: { id: `k${i * 100}` } } : { ok: true, value: null });
  t.ok(threads >= 1 && threads <= 2, `${threads} threads`);
});
