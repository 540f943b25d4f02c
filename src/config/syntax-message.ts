/**
 * What the YAML parser found wrong, in our own sentences: the parser's messages quote the file, and a line of it may hold
 * a secret.
 */
import type { YAMLError } from 'yaml';

const GENERAL = 'This is not valid YAML; check the indentation, quotes and brackets here and on the line before.';

/** What the parser reports without losing its way; after any other mistake, what follows is noise. */
const HARMLESS: ReadonlySet<YAMLError['code']> = new Set([
  'DUPLICATE_KEY',
  'TAG_RESOLVE_FAILED',
  'BAD_ALIAS',
  'BAD_DQ_ESCAPE',
]);

/** The mistakes worth showing, from top to bottom: all up to the first that makes the rest unreadable. */
export function worthShowing(mistakes: readonly YAMLError[]): YAMLError[] {
  const inOrder = mistakes.toSorted((a, b) => a.pos[0] - b.pos[0]);
  const first = inOrder.findIndex(({ code }) => !HARMLESS.has(code));
  return first === -1 ? inOrder : inOrder.slice(0, first + 1);
}

export const UNKNOWN_ALIAS = 'This alias names no anchor that stands before it.';

/** One sentence for a mistake in the text. */
export function syntaxMessage({ code, pos, message }: YAMLError, text: string): string {
  if (text.slice(pos[0] - 1, pos[0] + 1) === '${') return 'A "${...}" inside [ ] or { } needs quotes around it.';
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'This field is given twice in one mapping; remove one of them.';
    case 'MULTIPLE_DOCS':
      return 'The file holds more than one YAML document; keep one and remove the "---" line.';
    case 'TAB_AS_INDENT':
      return 'This line is indented with a tab; YAML wants spaces.';
    case 'BAD_ALIAS':
      return UNKNOWN_ALIAS;
    case 'ALIAS_PROPS':
      return 'An alias takes neither an anchor nor a tag of its own.';
    case 'BAD_DQ_ESCAPE':
      return 'This double-quoted text has an unknown escape; use single quotes or write "\\\\" for a backslash.';
    case 'BAD_INDENT':
      return message.startsWith('Flow')
        ? 'A list in [ ] or a mapping in { } is not closed, or a line of it is not indented further than its field.'
        : 'This line is not indented like its neighbours.';
    case 'BAD_DIRECTIVE':
      return message.startsWith('Unsupported YAML version')
        ? 'The file says that it is another YAML than 1.2 and 1.1, which are read here; write "%YAML 1.2", or remove the line.'
        : 'A line that begins with "%" before the "---" can only be "%YAML 1.2" or "%YAML 1.1"; remove it.';
    case 'MISSING_CHAR':
      if (message.startsWith('Missing directives-end'))
        return 'After a line such as "%YAML 1.2" a line "---" is missing.';
      return 'A closing quote, bracket or brace, a comma, or a space after a colon is missing here.';
    case 'TAG_RESOLVE_FAILED':
      return 'Tags such as "!name" have no meaning here; remove it.';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'KEY_OVER_1024_CHARS':
      return 'The name of a field has to stand on one line, with a colon behind it; text with ": " in it needs quotes.';
    case 'BAD_SCALAR_START':
      return 'Text that starts with this character needs quotes.';
    default:
      return GENERAL;
  }
}
