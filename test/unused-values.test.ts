/**
 * Refuses statements that call a function of the language and leave what it yields, as `decodeURIComponent(path);` to see whether it
 * throws: the bundler takes such a call for one without effect and leaves it out of what is shipped, with the check that it was.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseAst } from 'vite';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly name?: string;
  readonly operator?: string;
  readonly argument?: Node;
  readonly callee?: Node;
  readonly object?: Node;
  readonly expression?: Node;
}

/** What nobody calls for an effect. Of `Object` and `Reflect` some are called for theirs. */
const WITHOUT_EFFECT = new Set(
  `Array BigInt Boolean Date Error Intl JSON Math Number RangeError RegExp String Symbol SyntaxError TextDecoder TypeError URL
  URLSearchParams atob btoa decodeURI decodeURIComponent encodeURI encodeURIComponent escape isFinite isNaN parseFloat parseInt
  structuredClone unescape`.split(/\s+/),
);

/** The function of the language that a statement calls in vain; null: none. */
function calledInVain({ type, expression }: Node): string | null {
  if (type !== 'ExpressionStatement' || expression === undefined) return null;
  const call = expression.operator === 'void' && expression.argument ? expression.argument : expression;
  if (call.type !== 'CallExpression' && call.type !== 'NewExpression') return null;
  let root = call.callee;
  while (root?.object !== undefined) root = root.object;
  return root?.type === 'Identifier' && WITHOUT_EFFECT.has(root.name ?? '') ? (root.name as string) : null;
}

function inVain(text: string, lang: 'ts' | 'tsx'): string[] {
  const found: string[] = [];
  JSON.stringify(parseAst(text, { lang }), (_, node: unknown) => {
    if (typeof node === 'bigint') return null;
    const statement = (node ?? {}) as Node;
    if (calledInVain(statement) !== null) found.push(text.slice(statement.start, statement.end));
    return node;
  });
  return found;
}

void t.test('no call of the sources is made for its exception alone', async (t) => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
  t.ok(files.length > 300, 'they are found');
  const calls = files.flatMap((file) =>
    inVain(readFileSync(join('src', file), 'utf8'), file.endsWith('x') ? 'tsx' : 'ts').map(
      (call) => `${file}: ${call}`,
    ),
  );
  t.strictSame(calls, []);
});

void t.test('what would be left out is found', async (t) => {
  for (const call of ['decodeURIComponent(path);', 'void JSON.parse(text);', 'new URL(text);', 'new RegExp(text);'])
    t.strictSame(inVain(`try { ${call} } catch { f(); }`, 'ts'), [call]);
  for (const call of ['use(new URL(text));', 'const url = new URL(text);', 'void f(Number(text));', 'list.push(1);'])
    t.strictSame(inVain(call, 'ts'), []);
});
