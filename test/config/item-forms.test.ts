import t from 'tap';
import { createItemForms } from '../../src/config/item-forms.ts';

/** What the last of these texts says, once the others were read. */
function readLast(...texts: readonly string[]): unknown {
  const forms = createItemForms();
  return texts.map((text) => forms.read(text)).at(-1);
}

const inForm = (form: (word: string) => string, word: string): unknown =>
  readLast(form('one'), form('two'), form(word));

t.test('a form is known when it comes a second time', async (t) => {
  t.same(
    [1, 2].map((times) => readLast(...Array.from({ length: times }, () => '- id: a\n'))),
    [undefined, { value: [{ id: 'a' }] }],
  );
});

t.test('the words of the text stand in the form', async (t) => {
  const item = (word: string) => `- id: ${word}\n  "n": [x ${word}-${word}, '${word}', { a: "${word}" }] # ${word}\n`;
  t.same(inForm(item, 'b7'), { value: [{ id: 'b7', n: ['x b7-b7', 'b7', { a: 'b7' }] }] });
});

t.test('a word without quotes is what YAML takes it for', async (t) => {
  const item = (word: string) => `- [${word}, "${word}", -${word}, .${word}, ${word} ${word}]\n`;
  t.same(inForm(item, '12'), { value: [[12, '12', -12, 0.12, '12 12']] });
  t.same(inForm(item, 'true'), { value: [[true, 'true', '-true', '.true', 'true true']] });
  t.same(inForm(item, '0x1F'), { value: [[31, '0x1F', '-0x1F', '.0x1F', '0x1F 0x1F']] });
  t.same(
    inForm((word) => `- ${word}\n`, 'null'),
    { value: [null] },
  );
});

t.test('where a word could change more than a text, nothing is told', async (t) => {
  for (const form of [
    '- "\\x4@"\n',
    '- ! @\n',
    '- ${@}\n',
    '- a @: 1\n',
    '- ? @\n',
    '- *@\n',
    '- [@: a]\n- b: { "__proto__": @ }\n',
    '- |@\n  a\n',
    '- \0@\n',
  ])
    t.equal(
      inForm((word) => form.replaceAll('@', word), '1'),
      undefined,
      JSON.stringify(form),
    );
});

t.test('names of fields are no words', async (t) => {
  t.equal(readLast('- a: 1\n', '- a: 1\n', '- b: 1\n'), undefined);
  t.equal(readLast('- { "a": 1 }\n', '- { "a": 1 }\n', '- { "b": 1 }\n'), undefined);
});
