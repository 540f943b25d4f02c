/**
 * What test files need besides the compiled sources: programs on PATH, the built console, the sidecar as it is shipped. They tell it by
 * what they and their support say: `requireTool('promtool', ...)`, `dist/console`, `POSTERN_SIDECAR`. Reads sources and starts nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The programs, and whether the console and the sidecar have to be built, for test files and all of test/ that they import. */
export function needsOf(files) {
  const texts = [...closureOf(files).values()];
  const tools = texts.flatMap((text) => [...text.matchAll(/\brequireTool\(\s*'([^']+)'/g)].map(([, name]) => name));
  // The pages themselves, or the function that finds them. What is in src/ does without when they are not built.
  return {
    tools: [...new Set(tools)].toSorted((a, b) => (a < b ? -1 : 1)),
    console: texts.some((text) => /dist\/console|\bconsoleFolder\(/.test(text)),
    sidecar: texts.some((text) => text.includes('POSTERN_SIDECAR')),
  };
}

/** The text of each file, and of all that they import from test/ and bench/. */
function closureOf(files) {
  const texts = new Map();
  const left = [...files];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (texts.has(file) || file.startsWith('src/') || !existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    texts.set(file, text);
    for (const [, path] of text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) left.push(join(file, '..', path));
  }
  return texts;
}
