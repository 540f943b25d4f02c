/**
 * Refuses regular expressions of which a text can cost more than its length: with two runs that can share out the same
 * characters, or with a run that is tried anew at each of its characters, before something that may fail.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseAst } from 'vite';
import { ambiguityOf } from './support/regex-ambiguity.ts';

/** What reads files and settings of the operator alone, and may look at a place of them more than once. */
const NO_STRANGER_SENDS: readonly string[] = ['lib/private-keys.ts: /-----BEGIN '];

interface Literal {
  readonly file: string;
  readonly expression: RegExp;
}

/** Every regular expression that stands in src/. */
function literals(): Literal[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
  return files.flatMap((file) => {
    const found: Literal[] = [];
    const ast = parseAst(readFileSync(join('src', file), 'utf8'), { lang: file.endsWith('x') ? 'tsx' : 'ts' });
    JSON.stringify(ast, (_, node: unknown) => {
      const { regex } = (node ?? {}) as { regex?: { pattern: string; flags: string } };
      if (regex?.pattern !== undefined) found.push({ file, expression: new RegExp(regex.pattern, regex.flags) });
      return typeof node === 'bigint' ? null : node;
    });
    return found;
  });
}

void t.test('no regular expression of the sources is ambiguous', async (t) => {
  const all = literals();
  t.ok(all.length > 80, 'they are found');
  const ambiguous = all.flatMap(({ file, expression }) => {
    const why = ambiguityOf(expression);
    return why === null ? [] : [`${file}: ${String(expression)}: ${why}`];
  });
  t.strictSame(
    ambiguous.filter((found) => !NO_STRANGER_SENDS.some((known) => found.startsWith(known))),
    [],
  );
});

void t.test('one that is put together at run time is looked at by a person', async (t) => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const made = files.filter((file) => readFileSync(join('src', file), 'utf8').includes('new RegExp('));
  t.strictSame(made, ['config/credential-schema.ts', 'config/item-forms.ts', 'config/values.ts']);
});

void t.test('what is ambiguous is found', async (t) => {
  for (const expression of [
    // As they stood here once: 15 KB of spaces took 0.4 and 1.4 s.
    /^[ \t]+|[ \t]+$/g,
    /;[ \t]*(?:([a-z-]+)=(?:([a-z-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*(?=;|$)/sy,
    /[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi,
    / +$/,
    /\s*,/,
    /^\s*\s*$/,
    /^a*(?:b?a)*$/,
    /^(?:a*)*$/,
    /^(?:a|[a-c])+$/,
    /^ *(?:x? *)y/,
    /^.*=.*$/s,
    /a{0,5000}b/,
  ])
    t.not(ambiguityOf(expression), null, String(expression));
});

void t.test('what is not is let be', async (t) => {
  for (const expression of [
    /^ *a$/,
    / +/g,
    /[ \t]+/,
    /^basic +([A-Za-z0-9+/]+={0,2}) *$/i,
    /^bearer +(\S.*)$/i,
    /;[^/]*/g,
    /(?:%[0-9A-Fa-f]{2})+/g,
    /^(?:[A-Za-z0-9_~-]+\.)*[A-Za-z0-9_~-]+\.?$/,
    /^"(?:[^"\\]|\\.)*"$/s,
    /(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?$/,
    /a{1,20}b/,
    /(?:^|,) *x/,
    /^[\w.]+@[\w.]+\.[a-z]+$/,
  ])
    t.equal(ambiguityOf(expression), null, String(expression));
});
