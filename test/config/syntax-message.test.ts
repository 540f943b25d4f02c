import t from 'tap';
import { parseDocument, YAMLParseError, type ErrorCode } from 'yaml';
import { syntaxMessage, worthShowing } from '../../src/config/syntax-message.ts';

/** What the parser reports, as the reader of files asks it. */
function mistakesIn(text: string) {
  const { errors, warnings } = parseDocument(text, { prettyErrors: false, merge: true, logLevel: 'error' });
  return [...errors, ...warnings];
}

const messagesFor = (text: string): string[] => mistakesIn(text).map((mistake) => syntaxMessage(mistake, text));
const mistake = (code: ErrorCode, at = 0) => new YAMLParseError([at, at + 1], code, 'says hunter2');

/** A record, so that a code which the parser learns has to be added here. */
const EVERY_CODE: Readonly<Record<ErrorCode, true>> = {
  ALIAS_PROPS: true,
  BAD_ALIAS: true,
  BAD_COLLECTION_TYPE: true,
  BAD_DIRECTIVE: true,
  BAD_DQ_ESCAPE: true,
  BAD_INDENT: true,
  BAD_PROP_ORDER: true,
  BAD_SCALAR_START: true,
  BLOCK_AS_IMPLICIT_KEY: true,
  BLOCK_IN_FLOW: true,
  DUPLICATE_KEY: true,
  IMPOSSIBLE: true,
  KEY_OVER_1024_CHARS: true,
  MISSING_CHAR: true,
  MULTILINE_IMPLICIT_KEY: true,
  MULTIPLE_ANCHORS: true,
  MULTIPLE_DOCS: true,
  MULTIPLE_TAGS: true,
  NON_STRING_KEY: true,
  RESOURCE_EXHAUSTION: true,
  TAB_AS_INDENT: true,
  TAG_RESOLVE_FAILED: true,
  UNEXPECTED_TOKEN: true,
};

t.test('each mistake is told by what to do about it', async (t) => {
  for (const [text, message] of [
    ['a: 1\na: 2', /given twice/],
    ['a: 1\n---\nb: 2', /more than one YAML document/],
    ['a:\n\tb: 1', /indented with a tab/],
    ['a: "\\q"', /unknown escape/],
    ['a:\n  b: 1\n c: 2', /not indented like its neighbours/],
    ['a: [b', /not closed/],
    ['a: &b 1\nc: &d *b', /neither an anchor nor a tag/],
    ['a: "b', /is missing here/],
    ['a: 1\nb:2', /a space after a colon is missing/],
    ['a: !b c', /Tags such as/],
    ['a: b: c', /text with ": " in it needs quotes/],
    ['a\nb: 1', /has to stand on one line/],
    [`? a\n${'k'.repeat(1100)}: 1`, /has to stand on one line/],
    ['a: @b', /starts with this character needs quotes/],
  ] as const)
    t.match(messagesFor(text)[0], message, text);
});

t.test('a reference among brackets is told to need quotes, whatever the parser made of it', async (t) => {
  const text = 'a: [${PORT}]';
  for (const code of ['MISSING_CHAR', 'BAD_SCALAR_START', 'UNEXPECTED_TOKEN'] as const)
    t.equal(
      syntaxMessage(mistake(code, text.indexOf('{')), text),
      'A "${...}" inside [ ] or { } needs quotes around it.',
    );
  t.match(messagesFor(text)[0], /inside \[ \] or \{ \} needs quotes/);
  t.match(messagesFor('a: {b: ${PORT}}')[0], /inside \[ \] or \{ \} needs quotes/);
  t.notMatch(syntaxMessage(mistake('MISSING_CHAR', 0), '{a'), /\$/, 'nor at the very start of a file');
});

t.test('every mistake that the parser knows is one whole sentence that quotes nothing of the file', async (t) => {
  const text = 'hunter2: hunter2';
  for (const code of [...Object.keys(EVERY_CODE), 'A_CODE_OF_TOMORROW'] as ErrorCode[]) {
    const message = syntaxMessage(mistake(code), text);
    t.match(message, /^[A-Z][^\n]*\.$/, code);
    t.notMatch(message, 'hunter2', code);
  }
});

t.test('a mistake that spoils what follows is shown once, after those that stood before it', async (t) => {
  const [twice, alias, indent, bracket] = (['DUPLICATE_KEY', 'BAD_ALIAS', 'BAD_INDENT', 'MISSING_CHAR'] as const).map(
    (code) => mistake(code),
  ) as [YAMLParseError, YAMLParseError, YAMLParseError, YAMLParseError];
  t.same(worthShowing([]), []);
  t.same(worthShowing([twice, alias, twice]), [twice, alias, twice]);
  for (const code of ['DUPLICATE_KEY', 'BAD_ALIAS', 'BAD_DQ_ESCAPE', 'TAG_RESOLVE_FAILED'] as const)
    t.equal(worthShowing([mistake(code), indent, bracket]).length, 2, code);
  t.same(worthShowing([twice, indent, bracket, indent]), [twice, indent]);
  t.same(worthShowing([bracket, indent]), [bracket]);
  const [later, before] = [mistake('DUPLICATE_KEY', 9), mistake('TAG_RESOLVE_FAILED', 1)];
  t.same(worthShowing([mistake('BAD_INDENT', 5), later, before]).length, 2, 'what comes after it is noise');
  t.same(worthShowing([later, before]), [before, later], 'from top to bottom');
  const unknown = mistake('A_CODE_OF_TOMORROW' as ErrorCode);
  t.same(worthShowing([unknown, bracket]), [unknown]);
});

t.test('a directive says what is wrong with it', async (t) => {
  const told = (text: string): string => messagesFor(text)[0] ?? '';
  t.match(told('%YAML 1.3\n---\na: 1\n'), /another YAML than 1\.2 and 1\.1/);
  t.match(told('%FOO x\n---\na: 1\n'), /can only be "%YAML 1\.2" or "%YAML 1\.1"/);
  t.match(told('%YAML 1.2\na: 1\n'), /a line "---" is missing/);
  t.match(told('a: "x\n'), /A closing quote/);
});
