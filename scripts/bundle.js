/**
 * Builds the sidecar into dist/: few files instead of a thousand, with the packages it needs in them, since finding and reading modules was
 * most of a start. Names and lines stay as they were written, so that a stack trace can be read; the licences of what is inside stand in
 * dist/licences.txt. Checks no types.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

/** Where to, if not for use. `--sidecar`: with a file that exports what starts a sidecar, so that tests can ask what is shipped. */
const [OUT = 'dist', withSidecar] = process.argv.slice(2);
/** Vite's, which empties it by itself. */
const CONSOLE = 'console';

/** What is started by its file's name: the command line, the threads, the demo. All else is found from these. */
const KEY_THREADS = [
  'src/keys/key-file-thread.ts',
  'src/keys/key-file-session-thread.ts',
  'src/keys/list-text-thread.ts',
];
const CONFIG_THREADS = ['src/config/config-thread.ts'];
/** Started for a moment, many times in a row. */
const QUICK = ['src/main.ts', 'src/commands/hash.ts', 'src/commands/keygen.ts'];
const SERVE = 'src/commands/serve.ts';
const ENTRIES = {
  main: 'src/main.ts',
  ...Object.fromEntries([...KEY_THREADS, ...CONFIG_THREADS].map((file) => [basename(file, '.ts'), file])),
  'demo/start': 'src/demo/start.ts',
  'demo/run-backend': 'src/demo/run-backend.ts',
  ...(withSidecar === '--sidecar' && { sidecar: 'src/sidecar.ts' }),
};

const modules = await bundle();
writeFileSync(join(OUT, 'licences.txt'), licencesOf(packagesIn(modules)));

/** Resolves to the files that went in. */
async function bundle() {
  const warnings = [];
  const build = await rolldown({
    input: ENTRIES,
    platform: 'node',
    plugins: [await madeAhead('src/config/config-json-schema.ts')],
    // Nothing but the command line is imported from outside, by nobody.
    preserveEntrySignatures: 'allow-extension',
    // A module that could not be found would be missed only when it is needed.
    onLog: (_level, log) => warnings.push(log.message),
  });
  clean();
  const { output } = await build.write({
    dir: OUT,
    format: 'esm',
    entryFileNames: '[name].js',
    // Threads and the console are looked for beside the file that asks for them.
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [{ name: groupOf(), debugName: 'by use' }], includeDependenciesRecursively: false },
    // A letter outside of Latin-1 doubles what a file takes in memory, and nobody reads comments there.
    charset: 'ascii',
    comments: false,
    sourcemap: true,
  });
  await build.close();
  if (warnings.length > 0) throw new Error(`The bundler warned:\n${warnings.join('\n')}`);
  return output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
}

/** Puts what a file exports, which is JSON, in place of the file. */
async function madeAhead(file) {
  const build = await rolldown({ input: file, platform: 'node' });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  const made = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  const code = Object.entries(made).map(
    ([name, value]) => `export const ${name} = JSON.parse(${JSON.stringify(JSON.stringify(value))});`,
  );
  return {
    name: 'made-ahead',
    load: (id) => (id === resolve(file) ? { code: code.join('\n'), moduleType: 'js' } : null),
  };
}

/**
 * Which file a module goes to; null: the bundler's choice. Each file is one more to find and to read, so what `serve` needs at its start
 * is in few: what a command that must be quick needs too, what threads need too, and the rest.
 */
function groupOf() {
  let groups = null;
  return (id, graph) => {
    groups ??= [
      ['common', closureOf(QUICK, graph)],
      ['reading-keys', closureOf(KEY_THREADS, graph)],
      ['reading-config', closureOf(CONFIG_THREADS, graph)],
      ['serving', closureOf([SERVE], graph)],
    ];
    if (!groups.at(-1)[1].has(id) || QUICK.some((file) => id === resolve(file))) return null;
    return groups.find(([, modules]) => modules.has(id))[0];
  };
}

/** The files and all that they import at once. */
function closureOf(files, graph) {
  const closure = new Set(files.map((file) => resolve(file)));
  for (const id of closure) for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) closure.add(imported);
  return closure;
}

function clean() {
  if (!existsSync(OUT)) return;
  for (const name of readdirSync(OUT)) if (name !== CONSOLE) rmSync(join(OUT, name), { recursive: true });
}

/** The folders of the packages that files are from. */
function packagesIn(files) {
  const folders = files.map((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].toSorted((a, b) => a.localeCompare(b, 'en'));
}

function licencesOf(folders) {
  const texts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const said = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...said].join('\n\n');
  });
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
