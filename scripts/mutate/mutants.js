/**
 * All mutants of a compiled module: each the whole text with one edit, with the line of the TypeScript that it stands for.
 * Reads and runs nothing.
 */
import { SourceMap } from 'node:module';
import { parse } from 'acorn';
import { editsOf } from './operators.js';

/** The mutants of a module's text; `map` is its source map. Two edits that give the same text are one. */
export function mutantsOf(source, map) {
  const edits = [];
  visit(parse(source, { ecmaVersion: 'latest', sourceType: 'module' }), [], (node, parents) =>
    edits.push(...editsOf(node, source, parents)),
  );
  const lines = new SourceMap(map);
  const byText = new Map();
  for (const edit of edits) {
    const text = source.slice(0, edit.start) + edit.text + source.slice(edit.end);
    if (!byText.has(text)) byText.set(text, { ...edit, ...described(edit, source, lines) });
  }
  return [...byText.values()].toSorted((a, b) => a.start - b.start || a.end - b.end);
}

/** The text of the module with this edit made. */
export const mutated = (source, { start, end, text }) => source.slice(0, start) + text + source.slice(end);

function visit(node, parents, see) {
  see(node, parents);
  const inside = [...parents, node];
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child?.type === 'string') visit(child, inside, see);
}

/** Where a reader finds it, and how the line reads before and after. */
function described({ start, end, text }, source, lines) {
  const before = source.slice(0, start);
  const row = before.split('\n').length - 1;
  const lineStart = before.lastIndexOf('\n') + 1;
  const { originalLine } = lines.findEntry(row, start - lineStart);
  const lineEnd = source.indexOf('\n', end);
  const was = source.slice(lineStart, lineEnd === -1 ? undefined : lineEnd);
  const is = source.slice(lineStart, start) + text + source.slice(end, lineEnd === -1 ? undefined : lineEnd);
  return { line: (originalLine ?? row) + 1, was: squeezed(was), is: squeezed(is) };
}

const squeezed = (text) => text.replaceAll(/\s+/g, ' ').trim();
