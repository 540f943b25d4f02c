import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { KeyDefinition } from '../../src/keys/definition.ts';
import { editKeyFile, editRecord } from '../../src/keys/key-file-edit.ts';
import { loadKeyText } from '../../src/keys/key-file.ts';
import { readDefinition } from '../../src/keys/read-definition.ts';
import { hashSecret } from '../../src/keys/secret-hash.ts';

const ENV = { WEB_KEY: 'the-secret-of-the-web-key', TEXT: 'from the environment' };

const load = (text: string): readonly KeyDefinition[] => {
  const { definitions, problems } = loadKeyText(text, 'keys.yaml', ENV);
  if (definitions === null) throw new Error(problems.map(({ message }) => message).join('\n') + `\n${text}`);
  return definitions;
};

/** Makes a change to one key and proves that the result says that change and no other. */
function edit(t: Test, text: string, id: string, change: (key: KeyDefinition) => KeyDefinition | null): string {
  const before = load(text);
  const index = before.findIndex((key) => key.id === id);
  const old = before[index] as KeyDefinition;
  const after = change(old);
  const result = editKeyFile(text, { index, before: old, after });
  t.same(load(result), before.toSpliced(index, 1, ...(after === null ? [] : [after])), result);
  return result;
}

const add = (t: Test, text: string, written: Record<string, unknown>): string => {
  const before = load(text);
  const read = readDefinition(written);
  if (!read.ok) throw new Error(JSON.stringify(read.findings));
  const result = editKeyFile(text, { index: before.length, before: null, after: read.value });
  t.same(load(result), [...before, read.value], result);
  return result;
};

const FILE = `# The keys of the shop.
keys:
  # The browser.
  - id: web # public
    type: "write-only"
    secret: \${WEB_KEY}   # from the vault
    allowedEvents: [page_view,  'login'] # ask first
    description: \${TEXT}

  # Back ends.
  - id: server
    type: read-write
    secrets:
      # made in spring
      - hash: sha256:${'a'.repeat(64)} # spring
    allowFrom: # offices
      # Berlin
      - 203.0.113.7 # main

      # Paris
      - { address: '2001:db8:1::/48', description: "Paris" } # second
    expiresAt:
    description: |
      Two
      lines
  - { id: flow, type: read-write, secret: a-secret-in-flow-style, allowFrom: [192.0.2.1] }
# The end.
`;

const at = (address: string, description = '') => ({ address, description });
const addresses = ({ allowFrom = 'anywhere' }: KeyDefinition) => (allowFrom === 'anywhere' ? [] : allowFrom);

t.test('an address is added below the others, and nothing else changes', async (t) => {
  const result = edit(t, FILE, 'server', (key) => ({
    ...key,
    allowFrom: [...addresses(key), at('198.51.100.0/24', 'VPN')],
  }));
  t.equal(
    result,
    FILE.replace('# second\n', "# second\n      - { address: '198.51.100.0/24', description: VPN }\n").replace(
      "'198.51.100.0/24'",
      '198.51.100.0/24',
    ),
  );
});

t.test('an address goes with its comments', async (t) => {
  const result = edit(t, FILE, 'server', (key) => ({ ...key, allowFrom: addresses(key).slice(1) }));
  t.equal(result, FILE.replace('      # Berlin\n      - 203.0.113.7 # main\n', ''));
});

t.test('a description is given to a bare address, and changed in a written one', async (t) => {
  const result = edit(t, FILE, 'server', (key) => ({
    ...key,
    allowFrom: addresses(key).map((item) => ('address' in item ? at(item.address, `Office: ${item.address}`) : item)),
  }));
  t.match(result, "- { address: 203.0.113.7, description: 'Office: 203.0.113.7' } # main\n");
  t.match(result, "- { address: '2001:db8:1::/48', description: 'Office: 2001:db8:1::/48' } # second\n");
});

t.test('a list becomes a word and a word becomes a list', async (t) => {
  const anywhere = edit(t, FILE, 'server', (key) => ({ ...key, allowFrom: 'anywhere' }));
  t.match(anywhere, '    allowFrom: anywhere # offices\n    expiresAt:\n');
  const listed = edit(t, anywhere, 'server', (key) => ({
    ...key,
    allowFrom: [at('192.0.2.9'), at('192.0.2.10', 'B')],
  }));
  t.match(
    listed,
    '    allowFrom: # offices\n      - 192.0.2.9\n      - { address: 192.0.2.10, description: B }\n    expiresAt:\n',
  );
  t.match(
    edit(t, FILE, 'server', (key) => ({ ...key, allowFrom: [] })),
    '    allowFrom: [] # offices\n',
  );
  t.match(
    edit(t, FILE, 'web', (key) => ({ ...key, allowedEvents: 'all' })),
    '    allowedEvents: all # ask first\n',
  );
});

t.test('event names come and go', async (t) => {
  const more = edit(t, FILE, 'web', (key) => ({
    ...key,
    allowedEvents: [...(key.allowedEvents as string[]), 'a, b', 'yes'],
  }));
  t.match(more, "allowedEvents: [page_view,  'login', 'a, b', 'yes'] # ask first");
  t.match(
    edit(t, FILE, 'web', (key) => ({ ...key, allowedEvents: ['login'] })),
    "allowedEvents: ['login'] # ask first",
  );
});

t.test('fields that were left out are added at the end of their key', async (t) => {
  const result = edit(t, FILE, 'web', (key) => ({
    ...key,
    enabled: false,
    rateLimit: { requests: 5, windowSeconds: 1 },
  }));
  t.equal(
    result,
    FILE.replace('${TEXT}\n', '${TEXT}\n    enabled: false\n    rateLimit: { requests: 5, windowSeconds: 1 }\n'),
  );
});

t.test('an empty value, a block of text and a quoted one are replaced', async (t) => {
  const expires = edit(t, FILE, 'server', (key) => ({ ...key, expiresAt: '2027-01-01T00:00:00Z' }));
  t.equal(expires, FILE.replace('expiresAt:\n', "expiresAt: '2027-01-01T00:00:00Z'\n"));
  const text = edit(t, FILE, 'server', (key) => ({ ...key, description: 'One line' }));
  t.equal(text, FILE.replace('|\n      Two\n      lines\n', 'One line\n'));
  t.match(
    edit(t, FILE, 'web', (key) => ({ ...key, mode: 'report' })),
    'description: ${TEXT}\n    mode: report\n',
  );
});

t.test('what was sent never becomes a reference', async (t) => {
  const result = edit(t, FILE, 'web', (key) => ({ ...key, description: '${WEB_KEY} ${file:/etc/passwd}' }));
  t.match(result, "description: '$${WEB_KEY} $${file:/etc/passwd}'");
});

t.test('a secret written in short is spelt out when another joins it', async (t) => {
  const hash = hashSecret('another');
  const rotate = (key: KeyDefinition): KeyDefinition => ({
    ...key,
    secrets: [
      ...key.secrets.map((secret) => ({ ...secret, expiresAt: '2030-01-01T00:00:00Z' })),
      { hash, expiresAt: null },
    ],
  });
  t.match(
    edit(t, FILE, 'web', rotate),
    `    secrets:   # from the vault\n      - value: \${WEB_KEY}\n        expiresAt: '2030-01-01T00:00:00Z'\n      - { hash: ${hash} }\n`,
  );
  t.match(
    edit(t, FILE, 'flow', rotate),
    `secrets: [{ value: a-secret-in-flow-style, expiresAt: '2030-01-01T00:00:00Z' }, { hash: ${hash} }], allowFrom: [192.0.2.1] }`,
  );
  const server = edit(t, FILE, 'server', rotate);
  t.match(server, `      # made in spring\n      - hash: sha256:${'a'.repeat(64)} # spring\n        expiresAt: '2030-`);
  t.match(server, `      - hash: ${hash}\n    allowFrom: # offices\n`);
  const back = edit(t, server, 'server', (key) => ({ ...key, secrets: key.secrets.slice(1) }));
  t.notMatch(back, 'spring');
});

t.test('a key is added at the end, in the manner of the others', async (t) => {
  const written = { id: 'new', type: 'metrics', apiKey: 'k', secret: 's', allowFrom: ['192.0.2.1', '::1'] };
  t.equal(
    add(t, FILE, written),
    FILE.replace(
      '# The end.',
      `
  - id: new
    type: metrics
    secrets:
      - { hash: ${hashSecret('s')} }
    allowFrom:
      - 192.0.2.1
      - '::1'
    apiKey: ${hashSecret('k')}
# The end.`,
    ),
  );
  for (const text of [
    'keys: []\n',
    'keys: [] # none yet',
    'keys:\n- id: a\n  type: read-write\n  secret: x',
    '{"keys": []}',
  ])
    add(t, text, written);
  add(t, '{ keys: [{ id: a, type: read-write, secret: x }] }', written);
  t.equal(
    add(t, 'keys:\r\n- id: a\r\n  type: read-write\r\n  secret: x\r\n', written).replaceAll('\r\n', '').includes('\n'),
    false,
  );
});

t.test('a key is removed with its comments, and the last one leaves an empty list', async (t) => {
  t.equal(
    edit(t, FILE, 'web', () => null),
    FILE.slice(0, FILE.indexOf('  # The browser.')) + FILE.slice(FILE.indexOf('\n  # Back')),
  );
  let text = edit(t, FILE, 'flow', () => null);
  t.equal(text, FILE.replace(/ {2}- \{ id: flow.*\n/, ''));
  for (const id of ['server', 'web']) text = edit(t, text, id, () => null);
  t.equal(text, '# The keys of the shop.\nkeys: []\n# The end.\n');
});

t.test('whatever the layout, a change is right or the text does not say it', async (t) => {
  const tricky = [
    'keys:\n  - &one { id: a, type: read-write, secret: x, allowFrom: &list [192.0.2.1] }\n  - { id: b, type: read-write, secret: y, allowFrom: *list }\n',
    'keys:\n  - id: a\n    <<: &base { type: read-write, allowFrom: [192.0.2.1] }\n    secret: x\n  - <<: *base\n    id: b\n    secret: y\n',
    'keys:\n  -\n    id: a\n    type: read-write\n    secret: x\n  - id: b\n    type: read-write\n    "secret" : y\n    ? allowFrom\n    : - 192.0.2.1\n',
    '{"keys": [{"id": "a", "type": "read-write", "secret": "x"},\n {"id": "b", "type": "read-write", "secret": "y", "allowFrom": [\n "192.0.2.1", # c\n "192.0.2.2" ]}]}',
    '%YAML 1.2\n---\nkeys:\n- id: a\n  type: read-write\n  secret: >-\n    x\n- id: b\n  type: read-write\n  secret: y\n...\n',
  ];
  const any = fc.record({
    id: fc.constantFrom('a', 'b'),
    allowFrom: fc.constantFrom('anywhere' as const, [], [at('192.0.2.1')], [at('192.0.2.2', 'x: #y'), at('192.0.2.1')]),
    description: fc.string({ unit: 'binary', maxLength: 12 }),
    enabled: fc.boolean(),
    removed: fc.boolean(),
  });
  let right = 0;
  let tried = 0;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.constantFrom(...tricky, FILE.replaceAll('id: web', 'id: a').replaceAll('id: server', 'id: b')),
        any,
        (text, change) => {
          const before = load(text);
          const index = before.findIndex(({ id }) => id === change.id);
          const { removed, ...fields } = change;
          const after = removed ? null : { ...(before[index] as KeyDefinition), ...fields };
          const result = editKeyFile(text, { index, before: before[index] as KeyDefinition, after });
          const loaded = loadKeyText(result, 'keys.yaml', ENV).definitions;
          tried++;
          if (isDeepStrictEqual(loaded, before.toSpliced(index, 1, ...(after === null ? [] : [after])))) right++;
        },
      ),
    ),
  );
  t.comment(`${right} of ${tried}`);
  t.ok(right > tried / 2, 'most changes can be made');
});

const HASH = (digit: string): string => `sha256:${digit.repeat(64)}`;
const SAID = `# head
keys:
  # first
  - id: a # ida
    type: read-write
    secrets:
      - hash: ${HASH('1')} # made first
    allowFrom: [10.0.0.1] # office
    enabled: true # on

  - { id: b, type: write-only, secrets: [{ hash: '${HASH('2')}' }] } # flow
# tail
`;

/** The same file, as different tools and habits write it. */
const SAID_DIFFERENTLY: Readonly<Record<string, string>> = {
  'without a word': SAID,
  '%YAML 1.2': `%YAML 1.2\n---\n${SAID}`,
  '%YAML 1.1': `%YAML 1.1\n---\n${SAID}`,
  'a comment before the directive': `# generated\n%YAML 1.2\n---\n${SAID}`,
  'a byte order mark': `\ufeff${SAID}`,
  'a byte order mark and a directive': `\ufeff%YAML 1.2\n---\n${SAID}`,
  '---': `---\n${SAID}`,
  '--- with a comment': `--- # keys\n${SAID}`,
  '...': `---\n${SAID}...\n`,
  '... without a line break': `${SAID}...`,
  CRLF: `%YAML 1.2\n---\n${SAID}...\n`.replaceAll('\n', '\r\n'),
  'no line break at the end': SAID.trimEnd(),
  '%TAG and tags': `%TAG !e! tag:example.com,2000:\n--- !!map\n${SAID.replace('id: a', 'id: !!str a').replace('keys:', 'keys: !!seq')}`,
  anchors: SAID.replace('keys:', 'keys: &all').replace('- id: a', '- &first\n    id: a'),
  'no indent': SAID.replaceAll(/^ {2}/gm, ''),
  'white space at the ends': SAID.replaceAll('\n', ' \n'),
};

t.test('a file that says which YAML it is, or is marked otherwise, is edited as any other', async (t) => {
  for (const [how, text] of Object.entries(SAID_DIFFERENTLY))
    t.test(how, async (t) => {
      t.same(load(text), load(SAID));
      const comments = text.match(/#[^\r\n]*/g) ?? [];
      const keepsComments = (result: string): void => {
        t.same(result.match(/#[^\r\n]*/g), comments);
        t.match(result, text.slice(0, text.indexOf('keys:')));
        t.equal(result.includes('\r\n'), text.includes('\r\n'));
        t.equal(/\n\.\.\.\s*$/.test(result) || !result.includes('...'), true, 'nothing stands behind the end');
      };
      const address = { address: '10.0.0.2', description: 'yes' };
      keepsComments(
        edit(t, text, 'a', (key) => ({
          ...key,
          description: 'no',
          enabled: false,
          allowFrom: [...(key.allowFrom as []), address],
        })),
      );
      keepsComments(
        edit(
          t,
          text,
          'a',
          (key) =>
            ({
              ...key,
              secrets: [...key.secrets, { hash: 'sha256:' + '3'.repeat(64), expiresAt: '2031-01-01T00:00:00.000Z' }],
            }) as KeyDefinition,
        ),
      );
      // Each of these is something else than text for YAML 1.1, YAML 1.2 or both.
      const names = [
        'on',
        'y',
        '010',
        '0o14',
        '0b11',
        '1_000',
        '1:30',
        '190:20:30',
        '2030-01-01',
        '~',
        'null',
        '.5',
        '+1',
        '=',
      ];
      keepsComments(edit(t, text, 'b', (key) => ({ ...key, allowedEvents: names })));
      keepsComments(
        add(t, text, { id: '1_000', type: 'read-write', description: '2030-01-01', secrets: [{ hash: HASH('4') }] }),
      );
      edit(t, text, 'a', () => null);
      edit(t, text, 'b', () => null);
    });
});

t.test('what is read depends on what the file says', async (t) => {
  const described = (head: string, fields: string) =>
    load(`${head}keys:\n  - { id: a, type: read-write, secrets: [{ hash: '${HASH('1')}' }], ${fields} }\n`)[0];
  t.equal(described('%YAML 1.1\n---\n', 'enabled: no')?.enabled, false);
  t.match(described('%YAML 1.1\n---\n', 'rateLimit: { requests: 1_000, windowSeconds: 010 }')?.rateLimit, {
    requests: 1000,
    windowSeconds: 8,
  });
  t.match(described('', 'rateLimit: { requests: 1000, windowSeconds: 010 }')?.rateLimit, { windowSeconds: 10 });
  for (const head of ['', '%YAML 1.1\n---\n', '%YAML 1.2\n---\n'])
    t.equal(described(head, 'expiresAt: 2030-01-01T00:00:00Z')?.expiresAt, '2030-01-01T00:00:00Z', 'a time is text');
});

t.test('a secret written in short that does not end gets no end when another joins it', async (t) => {
  const hash = hashSecret('another');
  const join = (key: KeyDefinition): KeyDefinition => ({
    ...key,
    secrets: [...key.secrets, { hash, expiresAt: null }],
  });
  const flow = edit(t, FILE, 'flow', join);
  t.ok(flow.includes(`secrets: [{ value: a-secret-in-flow-style }, { hash: ${hash} }], allowFrom`), flow);
  const web = edit(t, FILE, 'web', join);
  t.ok(web.includes(`    secrets:   # from the vault\n      - value: \${WEB_KEY}\n      - { hash: ${hash} }\n`), web);
});

t.test('a file without keys stays as it is', async (t) => {
  const [after] = load(FILE);
  for (const text of ['', '# nothing yet\n', '- a list\n', 'other: 1\n'])
    t.equal(editKeyFile(text, { index: 0, before: null, after: after ?? null }), text);
});

t.test('a route is added below the others, and their comments stay', async (t) => {
  const text = FILE.replace(
    '    expiresAt:\n',
    '    expiresAt:\n    allowedRoutes:\n      # orders\n      - GET /orders # read\n      - POST /orders\n',
  );
  const result = edit(t, text, 'server', (key) => ({
    ...key,
    allowedRoutes: ['GET /orders', 'POST /orders', 'DELETE /orders/:id'],
  }));
  t.equal(result, text.replace('- POST /orders\n', "- POST /orders\n      - 'DELETE /orders/:id'\n"));
});

t.test('a list of denied addresses is changed item by item, too, and lines end as those of the file do', async (t) => {
  const text = FILE.replace(
    '    expiresAt:\n',
    '    expiresAt:\n    denyFrom:\n      # the cellar\n      - 192.0.2.1 # damp\n      - 192.0.2.2\n',
  ).replaceAll('\n', '\r\n');
  const result = edit(t, text, 'server', (key) => ({
    ...key,
    denyFrom: [...(key.denyFrom ?? []), at('192.0.2.3')],
  }));
  t.equal(result, text.replace('- 192.0.2.2\r\n', '- 192.0.2.2\r\n      - 192.0.2.3\r\n'));
});

t.test('a new key stands apart where the others do, and where there is but one', async (t) => {
  const key = (id: string): string => `  - id: ${id}\n    type: write-only\n    secret: the-secret-of-${id}\n`;
  const added = (text: string): string => add(t, text, { id: 'c', type: 'write-only', secret: 's' }).slice(text.length);
  for (const [text, apart] of [
    [`keys:\n${key('a')}`, true],
    [`keys:\n${key('a')}${key('b')}`, false],
    [`keys:\n${key('a')}\n${key('b')}`, true],
  ] as const)
    t.equal(added(text).startsWith('\n'), apart, text);
});

type Policy = Parameters<typeof editRecord>[1] & { readonly section: 'policies' };
const putPolicy = (text: string, after: Policy['after'], before: Policy['before'] = null, name = 'p'): string =>
  editRecord(text, { section: 'policies', name, before, after });
const REPORT = { mode: 'report' } as const;

t.test('a policy is added where the others are, in the manner of the file', async (t) => {
  for (const [text, result] of [
    ['keys: []\n', 'keys: []\n\npolicies:\n  p: { mode: report }\n'],
    ['keys: []', 'keys: []\n\npolicies:\n  p: { mode: report }\n'],
    ['keys: []\r\n', 'keys: []\r\n\r\npolicies:\r\n  p: { mode: report }\r\n'],
    ['policies:\n  a: {} # a\nkeys: []\n', 'policies:\n  a: {} # a\n  p: { mode: report }\nkeys: []\n'],
    ['policies: { a: {} } # all\nkeys: []\n', 'policies: { a: {}, p: { mode: report } } # all\nkeys: []\n'],
    ['policies: {}\nkeys: []\n', 'policies: { p: { mode: report } }\nkeys: []\n'],
    ['policies:\nkeys: []\n', 'policies: { p: { mode: report } }\nkeys: []\n'],
    ['{ keys: [] }\n', '{ keys: [], policies: { p: { mode: report } } }\n'],
    ['{}', '{policies: { p: { mode: report } }}'],
    ['- no mapping\n', '- no mapping\n'],
  ] as const)
    t.equal(putPolicy(text, REPORT), result);
});

t.test('a policy goes, and its section with the last one', async (t) => {
  for (const [text, result] of [
    ['policies:\n  a: {}\n  # p\n  p: {}\nkeys: []\n', 'policies:\n  a: {}\nkeys: []\n'],
    ['policies: { p: {}, a: {} }\nkeys: []\n', 'policies: { a: {} }\nkeys: []\n'],
    ['policies:\n  p: {}\nkeys: []\n', 'keys: []\n'],
    ['keys: []\npolicies: { p: {} }\n', 'keys: []\n'],
    ['keys: []\npolicies: { a: {} }\n', 'keys: []\npolicies: { a: {} }\n'],
    ['keys: []\n', 'keys: []\n'],
  ] as const)
    t.equal(putPolicy(text, null), result);
});

t.test('a policy changes where it stands, and what was sent is no reference', async (t) => {
  const text = 'policies:\n  p:\n    mode: report # why\n    enabled: true\nkeys: []\n';
  const before = { mode: 'report', enabled: true } as const;
  t.equal(putPolicy(text, { mode: 'enforce', enabled: true }, before), text.replace('mode: report', 'mode: enforce'));
  t.equal(putPolicy(text, { enabled: true }, before), text.replace('    mode: report # why\n', ''));
  t.equal(putPolicy(text, {}, before), 'policies:\n  p: {  }\nkeys: []\n');
  t.equal(putPolicy('policies: { p: {} }\n', REPORT, {}), 'policies: { p: { mode: report } }\n');
  t.equal(putPolicy('policies:\n  p:\nkeys: []\n', REPORT, {}), 'policies:\n  p: { mode: report }\nkeys: []\n');
  t.match(putPolicy('keys: []\n', { description: '${X}' }), "description: '$${X}'");
  t.match(putPolicy(text, { mode: 'report', description: '${X}' }, before), "description: '$${X}'");
});

t.test('a list is changed entry by entry', async (t) => {
  const put = (text: string, before: string[] | null, after: string[] | null): string => {
    const literal = (entries: string[] | null) =>
      entries && { kind: 'literal' as const, entries: entries.map((address) => at(address)) };
    return editRecord(text, { section: 'addressLists', name: 'l', before: literal(before), after: literal(after) });
  };
  const text = 'addressLists:\n  l:\n    - 192.0.2.1 # one\n    # of two\n    - 192.0.2.2\nkeys: []\n';
  t.equal(put(text, ['192.0.2.1', '192.0.2.2'], ['192.0.2.2']), text.replace('    - 192.0.2.1 # one\n', ''));
  t.equal(put(text, ['192.0.2.1', '192.0.2.2'], []), 'addressLists:\n  l: []\nkeys: []\n');
  t.equal(put('keys: []\n', null, ['192.0.2.1']), 'keys: []\n\naddressLists:\n  l: [192.0.2.1]\n');
  t.equal(put(text, ['192.0.2.1', '192.0.2.2'], null), 'keys: []\n');
});

t.test('what is laid out in a way that does not let it be changed stays as it is', async (t) => {
  const [key] = load(FILE);
  const after = key ?? null;
  for (const text of ['keys: { a: 1 }\n', 'keys: none\n', 'keys: [a]\n', '[keys]\n'])
    t.equal(editKeyFile(text, { index: 0, before: after, after }), text, text);
});

t.test('a key with a policy says what is its own, in the order of the reference', async (t) => {
  const text = 'policies: { p: { type: write-only } }\nkeys: []\n';
  const written = { rateLimit: null, secret: 's', policy: 'p', id: 'a', denyFrom: ['::1'], description: 'x' };
  t.equal(
    add(t, text, written),
    `policies: { p: { type: write-only } }
keys:
  - id: a
    description: x
    policy: p
    secrets:
      - { hash: ${hashSecret('s')} }
    denyFrom:
      - '::1'
    rateLimit: null
`,
  );
});

t.test('a secret written in short goes when another takes its place', async (t) => {
  const hash = hashSecret('another');
  const replace = (key: KeyDefinition): KeyDefinition => ({ ...key, secrets: [{ hash, expiresAt: null }] });
  t.match(edit(t, FILE, 'flow', replace), `type: read-write, secrets: [{ hash: ${hash} }], allowFrom: [192.0.2.1] }`);
  t.match(
    edit(t, FILE, 'web', replace),
    `    secrets:   # from the vault\n      - { hash: ${hash} }\n    allowedEvents`,
  );
});

t.test('an address in lines of its own keeps them, and what is written beside them', async (t) => {
  const text = `keys:
  - id: a
    type: write-only
    secret: the-secret-of-a
    allowFrom:
      - address: "192.0.2.1" # ours
        description: Berlin # since May
      - address: 192.0.2.2
      - { list: office }
addressLists: { office: [192.0.2.3] }
`;
  const result = edit(t, text, 'a', (key) => ({
    ...key,
    allowFrom: addresses(key).map((item) => ('address' in item ? at(item.address, 'Paris') : item)),
  }));
  t.equal(result, text.replace('Berlin', 'Paris').replace('192.0.2.2\n', '192.0.2.2\n        description: Paris\n'));
});

t.test('a key that leaves its policy says what is no default, and no more', async (t) => {
  const text = 'policies: { p: { type: write-only } }\nkeys:\n  - id: a\n    policy: p # for now\n    secret: s\n';
  const read = readDefinition({ id: 'a', type: 'write-only', secret: 's', mode: 'report' });
  if (!read.ok) throw new Error('not read');
  t.equal(
    edit(t, text, 'a', () => read.value),
    'policies: { p: { type: write-only } }\nkeys:\n  - id: a\n    secret: s\n    mode: report\n    type: write-only\n',
  );
});

t.test('each list keeps the lines and comments of the items that stay', async (t) => {
  const lists = {
    apis: ['integration', 'metrics', 'orders'],
    allowedRoutes: ['GET /a', 'GET /b', 'GET /c'],
    allowedOrigins: ['https://a.example', 'https://b.example', 'https://c.example'],
    allowedEvents: ['a', 'b', 'c'],
  };
  const items = (of: readonly string[]): string =>
    of.map((item) => `      # of it\n      - "${item}" # ${item}\n`).join('');
  for (const [field, list] of Object.entries(lists)) {
    const text = `keys:\n  - id: a\n    type: read-write\n    secret: x\n    ${field}:\n${items(list)}`;
    const result = edit(t, text, 'a', (key) => ({ ...key, [field]: list.slice(1) }));
    t.equal(result, text.replace(items(list), items(list.slice(1))), field);
  }
});
