import t from 'tap';
import type { KeyDefinition } from '../../src/keys/definition.ts';
import { openKeyFile, type OpenKeyFile } from '../../src/keys/open-key-file.ts';

const TEXT = `keys:
  - { id: a, type: write-only, secret: secret-of-a, policy: p }
  - { id: b, type: write-only, secret: secret-of-b } # the other
policies: { p: { mode: report } }
addressLists: { office: [192.0.2.1] }
`;

const context = { file: 'keys.yaml', env: {}, apis: ['integration'] };

function opened(text = TEXT): OpenKeyFile {
  const file = openKeyFile(text, context);
  if (!file.ok) throw new Error(file.failure.kind);
  return file.value;
}

t.test('tells what the file holds', async (t) => {
  const { key, record } = opened();
  t.match(key('b'), { id: 'b', type: 'write-only' });
  t.equal(key('c'), null);
  t.same(record('policies', 'p'), {
    stored: { id: 'p', definition: { mode: 'report' } },
    users: { keys: ['a'], policies: [] },
  });
  t.match(record('lists', 'office'), { stored: { id: 'office' }, users: { keys: [], policies: [] } });
  t.same(record('lists', 'p'), { stored: null, users: { keys: [], policies: [] } });
});

t.test('makes a change that says exactly what it should', async (t) => {
  const { key, change } = opened();
  const b = key('b') as KeyDefinition;
  const changed = TEXT.replace('secret-of-b }', 'secret-of-b, enabled: false }');
  t.same(change({ section: 'keys', id: 'b', after: { ...b, enabled: false } }), { ok: true, value: changed });
  t.same(change({ section: 'keys', id: 'b', after: null }), {
    ok: true,
    value: TEXT.replace('  - { id: b, type: write-only, secret: secret-of-b } # the other\n', ''),
  });
  t.match(change({ section: 'policies', name: 'p', after: { mode: 'enforce' } }), { ok: true });
  t.same(change({ section: 'lists', name: 'office', after: null }), {
    ok: true,
    value: TEXT.replace('addressLists: { office: [192.0.2.1] }\n', ''),
  });
});

t.test('a change that makes the file contradict itself is told at what was changed', async (t) => {
  const { key, change } = opened();
  const [a, b] = [key('a') as KeyDefinition, key('b') as KeyDefinition];
  t.match(change({ section: 'keys', id: 'b', after: { ...b, secrets: a.secrets } }), {
    failure: {
      kind: 'contradiction',
      findings: [{ path: [/^secret/], message: 'is also a secret of the key a; give each key its own' }],
    },
  });
  t.match(change({ section: 'policies', name: 'p', after: null }), {
    failure: { kind: 'contradiction', findings: [{ path: ['keys.a.policy'], message: /no policy/ }] },
  });
  t.match(change({ section: 'policies', name: 'p', after: { mode: 'report', apis: ['nowhere'] } }), {
    failure: { kind: 'contradiction', findings: [{ path: ['apis[0]'], message: /no API/ }] },
  });
});

t.test('what is wrong in a list or a policy is told at its place in it', async (t) => {
  const { change } = opened();
  const entries = [
    { address: '192.0.2.1', description: '' },
    { address: 'nowhere', description: 'x' },
  ];
  t.match(change({ section: 'lists', name: 'office', after: { kind: 'literal', entries } }), {
    failure: { kind: 'contradiction', findings: [{ path: ['[1].address'] }] },
  });
  const after = { rateLimit: { requests: 0, windowSeconds: 1 } };
  t.match(change({ section: 'policies', name: 'p', after }), {
    failure: { kind: 'contradiction', findings: [{ path: ['rateLimit.requests'] }] },
  });
});

t.test('what is wrong with a key as a whole is told of the whole', async (t) => {
  const { key, change } = opened();
  const b = key('b') as KeyDefinition;
  const after = { ...b, type: 'metrics', apis: ['metrics'], allowedEvents: null, disallowedEvents: null } as const;
  t.match(change({ section: 'keys', id: 'b', after }), {
    failure: { kind: 'contradiction', findings: [{ path: [], message: /^needs `apiKey`/ }] },
  });
});

t.test('a change that would reach further is not made', async (t) => {
  const text = 'keys:\n  - &a { id: a, type: write-only, secret: one }\n  - { <<: *a, id: b, secret: two }\n';
  const { key, change } = opened(text);
  const after = { ...(key('a') as KeyDefinition), enabled: false };
  t.match(change({ section: 'keys', id: 'a', after }), { ok: false, failure: { kind: 'not_editable' } });
});

t.test('a file with mistakes is not opened', async (t) => {
  t.match(openKeyFile('keys: [', context), {
    failure: { kind: 'unavailable', why: /has to be corrected first: keys\.yaml:1/ },
  });
});

t.test('a change of a record that would reach another record is not made', async (t) => {
  const text = `keys:
  - { id: a, type: write-only, secret: secret-of-a }
policies:
  p: &p
    mode: report
  q: *p
`;
  const { change } = opened(text);
  t.match(change({ section: 'policies', name: 'p', after: { mode: 'enforce' } }), {
    ok: false,
    failure: { kind: 'not_editable' },
  });
});

t.test('a policy keeps the comments that its change does not reach', async (t) => {
  const text = `keys:
  - { id: a, type: write-only, secret: secret-of-a }
policies:
  p:
    mode: report # for a week
    allowedEvents: [page_view, login] # ask first
`;
  const after = { mode: 'report', allowedEvents: ['page_view', 'login', 'logout'] } as const;
  t.same(opened(text).change({ section: 'policies', name: 'p', after }), {
    ok: true,
    value: text.replace('login]', 'login, logout]'),
  });
});

t.test('a list is changed into one of another kind, and back', async (t) => {
  const url = { kind: 'url', url: 'https://lists.example/a', refreshMinutes: 60, maxEntries: 100_000 } as const;
  const literal = { kind: 'literal', entries: [{ address: '192.0.2.1', description: '' }] } as const;
  const changed = opened().change({ section: 'lists', name: 'office', after: url });
  const text = TEXT.replace('[192.0.2.1]', "{ url: 'https://lists.example/a' }");
  t.same(changed, { ok: true, value: text });
  t.same(opened(text).change({ section: 'lists', name: 'office', after: literal }), { ok: true, value: TEXT });
  const other = { ...url, url: 'https://lists.example/b' };
  t.same(opened(text).change({ section: 'lists', name: 'office', after: other }), {
    ok: true,
    value: text.replace('example/a', 'example/b'),
  });
});

t.test('a change that leaves no usable file, for no fault of what was changed, is not made', async (t) => {
  const text = `keys:
  - { id: a, type: write-only, secret: secret-of-a, allowFrom: &here [192.0.2.1] }
  - { id: b, type: write-only, secret: secret-of-b, allowFrom: *here }
`;
  t.match(opened(text).change({ section: 'keys', id: 'a', after: null }), {
    ok: false,
    failure: { kind: 'not_editable' },
  });
});

t.test('a key that is added clashes at its own fields, and names what has to be there', async (t) => {
  const { key, change } = opened();
  const b = key('b') as KeyDefinition;
  const add = (more: object) =>
    change({ section: 'keys', id: 'c', after: { ...b, id: 'c', ...more } as KeyDefinition });
  t.match(add({}), { failure: { findings: [{ path: [/^secrets\[0\]/], message: /is also a secret of the key b;/ }] } });
  const secrets = [{ hash: `sha256:${'0'.repeat(64)}`, expiresAt: null }];
  t.match(add({ secrets, apis: ['nowhere'] }), {
    failure: { kind: 'contradiction', findings: [{ path: ['apis[0]'], message: /is the name of no API/ }] },
  });
  t.match(add({ secrets, allowFrom: [{ list: 'gone' }] }), {
    failure: { findings: [{ path: ['allowFrom[0].list'], message: /is the name of no address list/ }] },
  });
  t.match(add({ secrets }), { ok: true });
});

t.test('a policy of which nothing stays is written anew', async (t) => {
  const after = { enabled: false, description: 'x' };
  t.same(opened().change({ section: 'policies', name: 'p', after }), {
    ok: true,
    value: TEXT.replace('{ mode: report }', '{ enabled: false, description: x }'),
  });
  const block = TEXT.replace('{ p: { mode: report } }', '\n  p:\n    mode: report\n    enabled: true');
  t.same(opened(block).change({ section: 'policies', name: 'p', after: { description: 'x' } }), {
    ok: true,
    value: block.replace('mode: report\n    enabled: true', 'description: x'),
  });
  t.match(opened().change({ section: 'policies', name: 'p', after: {} }), {
    ok: true,
    value: TEXT.replace('{ mode: report }', '{  }'),
  });
});
