import t from 'tap';
import { describeChange, planPush } from '../../src/commands/push-plan.ts';
import type { KeyDefinition } from '../../src/keys/definition.ts';
import { readDefinition, readStoredDefinition } from '../../src/keys/read-definition.ts';
import { definitionOf, digest } from '../support/redis-keys.ts';

function key(id: string, more: Record<string, unknown> = {}): KeyDefinition {
  const read = readDefinition({ id, type: 'read-write', secret: `secret-of-${id}`, ...more });
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  return read.value;
}

const stored = (values: Record<string, string>): Map<string, string> => new Map(Object.entries(values));
const pushed = (...keys: readonly KeyDefinition[]): Map<string, string> =>
  new Map(planPush(keys, new Map(), false).set);
const lines = (...plan: Parameters<typeof planPush>): string[] => planPush(...plan).changes.map(describeChange);
const hashOf = (secret: string) => ({ hash: `sha256:${digest(secret)}` });

t.test('what is written reads back as the definition of the file', async (t) => {
  const full = key('b', {
    type: 'write-only',
    allowedEvents: [],
    allowedOrigins: ['https://a.example'],
    mode: 'report',
    allowFrom: ['192.0.2.1', { address: '::1', description: 'here' }],
    description: '',
    enabled: false,
  });
  const plan = planPush([full, key('a')], new Map(), false);
  t.same(plan.changes.map(describeChange), ['+ a', '+ b']);
  t.same([plan.remove, plan.unchanged, plan.others, plan.conflicts], [[], 0, 0, []]);
  t.same(readStoredDefinition('b', plan.set.get('b') ?? ''), { id: 'b', definition: full });
  t.notMatch([...plan.set.values()].join(), 'secret-of-');
});

t.test('what is there already is not written again, however its JSON is put', async (t) => {
  const keys = [key('a', { rateLimit: { requests: 1, windowSeconds: 2 } }), key('b')];
  const there = pushed(...keys);
  const fields = JSON.parse(there.get('a') ?? '') as Record<string, unknown>;
  const turned = Object.fromEntries([...Object.entries(fields).toReversed(), ['id', 'a']]);
  there.set('a', JSON.stringify({ ...turned, rateLimit: { windowSeconds: 2, requests: 1 } }, null, 2));
  t.same(planPush(keys, there, true), {
    changes: [],
    set: new Map(),
    remove: [],
    unchanged: 2,
    others: 0,
    conflicts: [],
  });
});

t.test('a changed key names the fields that differ, also those that only Redis has', async (t) => {
  const there = pushed(key('a', { rateLimit: { requests: 1, windowSeconds: 60 }, description: 'old' }));
  const now = key('a', { rateLimit: { requests: 2, windowSeconds: 60 }, enabled: false });
  t.same(planPush([now], there, false).changes, [
    { kind: 'change', id: 'a', fields: ['description', 'enabled', 'rateLimit'] },
  ]);
  const more = stored({ a: (there.get('a') ?? '').replace('{', '{"__proto__":{},') });
  t.same(
    lines([key('a')], more, false)
      .join()
      .match(/__proto__/g),
    ['__proto__'],
  );
});

t.test('what one of them says and the other leaves to its default is no difference', async (t) => {
  const fields = JSON.parse(pushed(key('a')).get('a') ?? '') as Record<string, unknown>;
  const there = (more: object) => stored({ a: JSON.stringify({ ...fields, ...more }) });
  const defaults = { enabled: true, allowedOrigins: ['*'], allowFrom: 'anywhere' };
  const fieldsOf = (definition: KeyDefinition, more: object) =>
    planPush([definition], there(more), false).changes.flatMap((change) =>
      change.kind === 'change' ? change.fields : [],
    );
  t.same(fieldsOf(key('a', { mode: 'report' }), defaults), ['mode']);
  t.same(fieldsOf(key('a'), { ...defaults, mode: 'report' }), ['mode']);
  t.same(fieldsOf(key('a'), { type: undefined }), ['type'], 'a type is never left out');
  const sharing = () => key('a', { policy: 'p' });
  const own = JSON.parse(planPush([sharing()], new Map(), false).set.get('a') ?? '') as object;
  const plan = planPush([sharing()], stored({ a: JSON.stringify({ ...own, enabled: true }) }), false);
  t.same(plan.changes, [{ kind: 'change', id: 'a', fields: ['enabled'] }], 'with a policy it is said or not');
});

t.test('a secret that is not hashed in Redis is written again, and so is an API key', async (t) => {
  const metrics = key('m', { type: 'metrics', apiKey: 'the-api-key' });
  const there = JSON.parse(pushed(metrics).get('m') ?? '') as Record<string, unknown>;
  const planned = (more: object) => planPush([metrics], stored({ m: JSON.stringify({ ...there, ...more }) }), false);
  t.equal(planned({}).unchanged, 1);
  const two = key('m', {
    type: 'metrics',
    apiKey: 'the-api-key',
    secret: undefined,
    secrets: ['a', 'b'].map((value) => ({ value })),
  });
  const half = { ...there, secrets: [hashOf('a'), { value: 'b' }] };
  t.equal(planPush([two], stored({ m: JSON.stringify(half) }), false).unchanged, 0, 'one of them is not hashed');
  for (const more of [
    { secrets: [{ value: 'secret-of-m' }] },
    { secrets: undefined, secret: 'secret-of-m' },
    { apiKey: 'the-api-key' },
  ]) {
    const { set, unchanged } = planned(more);
    t.same([unchanged, JSON.parse(set.get('m') ?? '{}')], [0, there], JSON.stringify(more));
  }
});

t.test('an id in what is stored that is another key\u2019s is a difference: nobody could use that key', async (t) => {
  const there = pushed(key('a'));
  there.set('a', (there.get('a') ?? '').replace('{', '{"id":"b",'));
  t.same(planPush([key('a')], there, false).changes, [{ kind: 'change', id: 'a', fields: ['id'] }]);
});

t.test('nothing that is in Redis commands the terminal', async (t) => {
  const there = stored({ a: '{"\\u001b[2J":1}', 'x\u001b[2J\n': '{' });
  for (const line of lines([key('a')], there, true)) t.match(line, /^[ -~]+$/);
  const clash = stored({ 'x\u001b[2J\n': definitionOf('x\u001b[2J\n', { secrets: [hashOf('secret-of-a')] }) });
  for (const conflict of planPush([key('a')], clash, false).conflicts) t.match(conflict, /^[ -~]+$/);
});

t.test('a value that cannot be read is changed, not taken for what the file says', async (t) => {
  const changes = planPush([key('a')], stored({ a: '{}' }), false).changes;
  t.match(changes.map(describeChange).join(), /^~ a \(.*\btype\b.*\bsecrets\b.*\)$/);
  for (const json of ['', '{', 'null', '7', '"text"', '[]', '["x"]', '{}']) {
    const plan = planPush([key('a')], stored({ a: json }), false);
    t.same([plan.changes, [...plan.set.keys()], plan.unchanged, plan.conflicts], [changes, ['a'], 0, []], json);
  }
});

t.test('keys that only Redis has stay and are counted, or go when that is asked for', async (t) => {
  const there = stored({ z: '{', b: definitionOf('b'), ...Object.fromEntries(pushed(key('m'))) });
  const keys = [key('n'), key('m'), key('a')];
  const counts = (...plan: Parameters<typeof planPush>) => {
    const { remove, others, unchanged, set } = planPush(...plan);
    return [remove, others, unchanged, set.size];
  };
  t.same(counts(keys, there, false), [[], 2, 1, 2]);
  t.same(lines(keys, there, false), ['+ a', '+ n']);
  t.same(counts(keys, there, true), [['b', 'z'], 0, 1, 2]);
  t.same(lines(keys, there, true), ['+ a', '- b', '+ n', '- z'], 'in order of id, whatever is done to it');
  t.same(counts([], there, true), [['b', 'm', 'z'], 0, 0, 0]);
});

t.test('a key that clashes with one that stays is a conflict, unless that one goes', async (t) => {
  const there = stored({ old: definitionOf('old', { secrets: [hashOf('secret-of-a')] }) });
  const keys = [key('a'), key('b')];
  const { conflicts } = planPush(keys, there, false);
  t.equal(conflicts.length, 1, 'of the two that clash only the one of the file is told, and no other');
  t.match(conflicts[0], /^a cannot be pushed .*shares a secret with old.*--prune$/);
  t.notMatch(conflicts[0], digest('secret-of-a').slice(0, 12));
  t.same(planPush(keys, there, true).conflicts, []);
});

t.test('a second metrics key is a conflict', async (t) => {
  const there = stored({ old: definitionOf('old', { type: 'metrics', apiKey: 'of-the-old-one' }) });
  const metrics = key('m', { type: 'metrics', apiKey: 'the-api-key' });
  t.match(planPush([metrics], there, false).conflicts[0], /^m cannot .* one metrics key, and old is another/);
});

t.test('what cannot be used, or is replaced anyway, stands in nobody\u2019s way', async (t) => {
  const unusable = stored({
    odd: definitionOf('odd', { type: 'nothing', secrets: [hashOf('secret-of-a')] }),
    broken: '{',
    // These two clash with each other and not with the file.
    one: definitionOf('same'),
    two: definitionOf('same'),
  });
  t.same(planPush([key('a')], unusable, false).conflicts, []);
  const before = pushed(key('a', { secret: 'moves' }), key('b'));
  const after = [key('a'), key('b', { secret: 'moves' })];
  t.same(planPush(after, before, false).conflicts, []);
  t.same(lines(after, before, false), ['~ a (secrets)', '~ b (secrets)']);
});
