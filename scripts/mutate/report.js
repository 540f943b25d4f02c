/**
 * Keeps what was found of each mutant, and makes the page of it: how many were caught in each folder, and each survivor,
 * explained or open. A finding counts as long as the module is the one that it was made for.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const KEPT = '.build/mutate/results.json';
const EQUIVALENTS = 'scripts/mutate/equivalents.json';
/** The share of the mutants that are not equivalent which has to be caught. */
export const WANTED = 0.95;

/** The findings of earlier runs; `note` adds one and writes them down. */
export function openFindings(path = KEPT) {
  const findings = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  return {
    of: (mutant) => findings[keyOf(mutant)],
    /** `mirrors`: it was held against the tests of modules alone. */
    note: (mutant, { caught, by, outcome }, mirrors) => {
      const { module, line, operator, was, is } = mutant;
      findings[keyOf(mutant)] = { file: sourceOf(module), line, operator, was, is, caught, by, outcome, mirrors };
      mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true });
      writeFileSync(path, JSON.stringify(findings));
    },
  };
}

export const sourceOf = (module) => module.replace(/\.js$/, '.ts');

function keyOf({ module, source, start, end, text }) {
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 16);
  return `${module} ${hash} ${start}-${end} ${text}`;
}

/** Survivors that change nothing that can be seen, as they were found and explained by a reader. */
export function readEquivalents() {
  return JSON.parse(readFileSync(EQUIVALENTS, 'utf8'));
}

/** Whether a mutant is one of these. */
export function explainedBy(equivalents) {
  const texts = new Set(equivalents.map(({ file, was, is }) => `${file}\n${was}\n${is}`));
  return ({ module, was, is }) => texts.has(`${sourceOf(module)}\n${was}\n${is}`);
}

/** The numbers and survivors of these findings. */
export function summarize(findings, equivalents) {
  const why = new Map(equivalents.map(({ file, was, is, why }) => [`${file}\n${was}\n${is}`, why]));
  const survivors = findings
    .filter(({ caught }) => !caught)
    .map((finding) => ({ ...finding, why: why.get(`${finding.file}\n${finding.was}\n${finding.is}`) }))
    .toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  const folders = new Map();
  for (const { file, caught } of findings) {
    const folder = file.split('/').length > 2 ? file.split('/')[1] : file;
    const row = folders.get(folder) ?? { folder, tried: 0, caught: 0, equivalent: 0 };
    row.tried++;
    if (caught) row.caught++;
    folders.set(folder, row);
  }
  for (const { file, why } of survivors)
    if (why !== undefined) folders.get(file.split('/').length > 2 ? file.split('/')[1] : file).equivalent++;
  const rows = [...folders.values()].toSorted((a, b) => (a.folder < b.folder ? -1 : 1));
  const sum = (of) => rows.reduce((total, row) => total + row[of], 0);
  const all = { folder: 'all', tried: sum('tried'), caught: sum('caught'), equivalent: sum('equivalent') };
  return { rows: [...rows, all], survivors, share: shareOf(all) };
}

const shareOf = ({ tried, caught, equivalent }) => (tried === equivalent ? 1 : caught / (tried - equivalent));

/** The page docs/mutation.md. `possible`: how many mutants there are of each folder. */
export function pageOf({ rows, survivors }, possible) {
  const untried = [...possible.keys()]
    .filter((folder) => !rows.some((row) => row.folder === folder))
    .map((folder) => ({ folder, tried: 0, caught: 0, equivalent: 0 }));
  const numbers = [...untried, ...rows].map(
    (row) =>
      `| ${row.folder} | ${possible.get(row.folder) ?? ''} | ${row.tried} | ${row.caught} | ${row.equivalent} | ${row.tried - row.caught - row.equivalent} | ${row.tried === 0 ? '' : percent(shareOf(row))} |`,
  );
  const open = survivors.filter(({ why }) => why === undefined);
  const explained = survivors.filter(({ why }) => why !== undefined);
  return `# Mutation

What \`npm run mutate\` found that was kept: each rule of \`src/\` taken out or weakened in one place, and whether a test failed.
How the changes are made and chosen is in \`scripts/mutate/\`; this page is written by \`npm run mutate -- --write\`.

| folder | possible | tried | caught | equivalent | open | caught of what is not equivalent |
| --- | --- | --- | --- | --- | --- | --- |
${numbers.join('\n')}

A folder of which fewer were tried than are possible was sampled, in an order that a seed fixes. At least ${WANTED * 100} % has to be caught.

## Open

No test that was tried notices these. Some are equivalent and nobody has shown it yet; for the others a test is missing.
${open.filter(({ mirrors }) => mirrors === true).length} of ${open.length} were held against the tests of their modules alone (\`--mirrors\`), not against those that start the whole.

${tableOf(open, ['where', 'before', 'after'], ({ was, is }) => [code(was), code(is)])}
## Equivalent

These change nothing that can be seen from outside of the function, for the reason given.

${tableOf(explained, ['where', 'before', 'after', 'why'], ({ was, is, why }) => [code(was), code(is), why])}`;
}

function tableOf(findings, heads, cells) {
  if (findings.length === 0) return 'None.\n';
  const rows = findings.map(
    (finding) => `| ${finding.file.slice(4)}:${finding.line} | ${cells(finding).join(' | ')} |`,
  );
  return `| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}\n${rows.join('\n')}\n`;
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;

function code(text) {
  const fence = text.includes('`') ? '``' : '`';
  return `${fence}${fence === '`' ? '' : ' '}${text.replaceAll('|', '\\|')}${fence === '`' ? '' : ' '}${fence}`;
}
