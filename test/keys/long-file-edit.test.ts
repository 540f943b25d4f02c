import fc from 'fast-check';
import t from 'tap';
import type { KeyDefinition } from '../../src/keys/definition.ts';
import { editKeyFile, editRecord } from '../../src/keys/key-file-edit.ts';
import { loadKeyText } from '../../src/keys/key-file.ts';
import { editAroundKeys, editLongKeyFile } from '../../src/keys/long-file-edit.ts';

/** Makes a file long. */
const PADDING = `description: ${'x'.repeat(3000)}`;

const FORMS = [
  (id: string) => `- id: ${id}\n  type: write-only # what it may\n  ${PADDING}\n  secret: secret-of-${id}\n`,
  (id: string) => `- { id: ${id}, type: write-only, secret: secret-of-${id}, ${PADDING} }\n`,
  (id: string) => `# about ${id}\n-\n  id: ${id}\n  type: write-only\n  ${PADDING}\n  secret: secret-of-${id}\n\n`,
  (id: string) =>
    `- id: ${id}\n  type: write-only\n  ${PADDING}\n  secrets:\n  - value: secret-of-${id}\n    # until then\n  # behind ${id}\n`,
];

const AROUND = [
  ['', ''],
  ['# all keys\npolicies: { p: { enabled: true } }\n', ''],
  ['', 'policies:\n  p: { enabled: true }\n# the end\n'],
  ['', '# the end'],
] as const;

const longFile = fc
  .record({
    forms: fc.array(fc.nat(FORMS.length - 1), { minLength: 6, maxLength: 12 }),
    around: fc.constantFrom(...AROUND),
    indent: fc.constantFrom('', '  '),
  })
  .map(({ forms, around: [before, after], indent }) => {
    const items = forms.map((form, index) => FORMS[form]?.(`key-${index}`) ?? '').join('');
    return `${before}keys:\n${items.replaceAll(/^(?=.)/gm, indent)}${after}`;
  });

const keysIn = (text: string): readonly KeyDefinition[] => loadKeyText(text, 'keys.yaml', {}).definitions ?? [];

/** Blank lines are put as those around suggest. */
const withoutBlanks = (text: string): string => text.replaceAll(/^[ \t]*\n/gm, '').trimEnd();

t.test('a key of a long file is changed, removed and added as in any other', async (t) => {
  const counted = { replace: 0, remove: 0, add: 0 };
  fc.assert(
    fc.property(longFile, fc.constantFrom('replace', 'remove', 'add'), fc.nat(20), (text, what, place) => {
      const keys = keysIn(text);
      const index = what === 'add' ? keys.length : place % keys.length;
      const [first] = keys;
      const before = keys[index] ?? null;
      const after =
        what === 'remove' ? null : { ...(before ?? { ...(first as KeyDefinition), id: 'new' }), enabled: false };
      const edit = { index, before, after } as Parameters<typeof editKeyFile>[1];
      counted[what] += 1;
      const edited = editLongKeyFile(text, edit);
      return withoutBlanks(edited) === withoutBlanks(editKeyFile(text, edit));
    }),
    { numRuns: 40 },
  );
  t.ok(Math.min(...Object.values(counted)) > 3, JSON.stringify(counted));
});

t.test('what stands beside the keys is changed, removed and added as in any other file', async (t) => {
  fc.assert(
    fc.property(longFile, fc.constantFrom('p', 'q'), fc.boolean(), (text, name, goes) => {
      const policy = loadKeyText(text, 'keys.yaml', {}).records.policies.get(name);
      const before = policy !== undefined && 'definition' in policy ? policy.definition : null;
      const after = goes ? null : { enabled: false };
      const make = (of: string): string => editRecord(of, { section: 'policies', name, before, after });
      return editAroundKeys(text, make) === make(text);
    }),
    { numRuns: 30 },
  );
  t.equal(
    editAroundKeys('keys: []\n', (text) => `${text}# short\n`),
    'keys: []\n# short\n',
  );
});

t.test('the text that is edited is short', async (t) => {
  const text = `a: 1\nkeys:\n${Array.from({ length: 100 }, (_, index) => `  - { id: key-${index}, ${PADDING} }\n`).join('')}b: 2\n`;
  let length = 0;
  const edited = editAroundKeys(text, (short) => {
    length = short.length;
    return short.replace('b: 2', 'b: 3');
  });
  t.equal(edited, text.replace('b: 2', 'b: 3'));
  t.ok(length < 5000, `${length}`);
  const few = text.slice(0, text.indexOf('  - { id: key-3')) + 'b: 2\n';
  editAroundKeys(few, (short) => {
    t.equal(short, few, 'where it is short as a whole, it is the whole');
    return short;
  });
});

t.test('what stands further away is not even read', async (t) => {
  const id = (index: number): string => (index === 0 ? '"no end' : `key-${index}`);
  const items = Array.from({ length: 9 }, (_, index) => `- id: ${id(index)}\n  ${PADDING}\n  type: write-only\n`);
  const text = `keys:\n${items.join('')}`;
  const [key] = keysIn(`keys:\n${items[8]}`);
  const before = { ...(key as KeyDefinition), secrets: [] };
  const edit = { index: 8, before, after: { ...before, enabled: false } };
  t.equal(editLongKeyFile(text, edit), `${text}  enabled: false\n`);
  const short = text.replaceAll('x'.repeat(3000), 'x');
  t.equal(editLongKeyFile(short, edit), short, 'in a short file all is read');
});
