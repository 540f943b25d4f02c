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

t.test('after an item of a form, one of another is not taken for it', async (t) => {
  const form = (word: string) => `- { id: ${word}, "n": "${word}" } # x\n`;
  for (const other of [
    '- { id: a, "n": "b" } # x\n- c\n',
    '- { id: a, "n": "b" } # x',
    '- { id: a b, "n": "b" } # x\n',
    '- { id: a, "m": "b" } # x\n',
    '- { ID: a, "n": "b" } # x\n',
    '- { id: a, "n": "${b}" } # x\n',
    '- { id: !!int 1, "n": "b" } # x\n',
    '- { id: a, "n": "\\x41" } # x\n',
    '\n- { id: a, "n": "b" } # x\n',
  ])
    t.equal(readLast(form('one'), form('two'), form('three'), other), undefined, JSON.stringify(other));
  t.same(readLast(form('one'), form('two'), form('three'), form('0x1F')), { value: [{ id: 31, n: '0x1F' }] });
});

t.test('an item of very many words is read as any other', async (t) => {
  const item = (word: string) => `- [${Array.from({ length: 500 }, () => word).join(', ')}]\n`;
  t.same(readLast(item('a'), item('b'), item('c'), item('7')), { value: [Array.from({ length: 500 }, () => 7)] });
});

t.test('a name at the end of the text is a name', async (t) => {
  const item = (word: string) => `- id: ${word}\n  n:`;
  t.same(inForm(item, 'b7'), { value: [{ id: 'b7', n: null }] });
});
