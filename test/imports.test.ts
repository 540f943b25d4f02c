/**
 * Holds the direction of imports: which folder may know which, which one package lives where, and no cycles between files. Also
 * how long a source file may be.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';

/**
 * Each may import what stands below it in this list, and nothing above: what a folder, or a file directly in src/, needs beside
 * `lib`. docs/architecture.md draws it.
 */
const MAY_IMPORT = new Map<string, readonly string[]>([
  ['main.ts', ['commands', 'signals.ts']],
  ['commands', ['sidecar.ts', 'signals.ts', 'request', 'observability', 'policy', 'keys', 'config']],
  [
    'sidecar.ts',
    [
      'admin-port.ts',
      'current-rules.ts',
      'reload.ts',
      'start-keys.ts',
      'listeners.ts',
      'certificates.ts',
      'request',
      'telemetry',
      'data-port',
      'tokens',
      'cache',
      'observability',
      'rate-store',
      'policy',
      'keys',
      'config',
    ],
  ],
  ['admin-port.ts', ['admin', 'current-rules.ts', 'certificates.ts', 'cache', 'observability', 'keys', 'config']],
  ['signals.ts', []],
  [
    'admin',
    [
      'request',
      'observe',
      'tokens',
      'observability',
      'upstream',
      'policy',
      'event-filter',
      'keys',
      'config',
      'refusal.ts',
    ],
  ],
  ['current-rules.ts', ['tokens', 'cache', 'upstream', 'policy', 'keys', 'config']],
  ['reload.ts', ['observability', 'keys', 'config']],
  ['start-keys.ts', ['observability', 'keys']],
  ['listeners.ts', ['certificates.ts', 'data-port', 'observability', 'policy', 'config']],
  ['certificates.ts', ['observability', 'config']],
  [
    'request',
    [
      'telemetry',
      'data-port',
      'observe',
      'tokens',
      'cache',
      'observability',
      'rate-store',
      'upstream',
      'policy',
      'event-filter',
      'keys',
      'refusal.ts',
    ],
  ],
  ['telemetry', ['observability', 'upstream']],
  ['data-port', ['upstream', 'policy', 'refusal.ts']],
  ['observe', ['policy', 'event-filter', 'keys', 'config', 'refusal.ts']],
  ['tokens', ['policy', 'event-filter', 'keys', 'config', 'refusal.ts']],
  ['cache', ['observability', 'upstream', 'config']],
  ['observability', ['upstream', 'keys', 'config', 'refusal.ts']],
  ['rate-store', ['keys', 'config']],
  ['upstream', ['policy']],
  ['policy', ['event-filter', 'keys', 'config', 'refusal.ts']],
  ['event-filter', ['config', 'refusal.ts']],
  ['keys', ['config']],
  ['config', []],
  ['refusal.ts', []],
  ['lib', []],
  ['demo', []],
]);

/** Packages, and the only places that may know them. */
const ONLY_IN = new Map<string, readonly string[]>([
  ['ioredis', ['lib/redis']],
  ['prom-client', ['observability/prometheus.ts']],
  ['jose', ['tokens/']],
  ['fastify', ['data-port/stream-lane.ts', 'admin/']],
  ['@fastify/http-proxy', ['data-port/stream-lane.ts']],
  ['pino', ['observability/log.ts']],
  ['yaml', ['config/', 'keys/', 'commands/']],
  ['zod', ['admin/', 'config/', 'keys/']],
  ['ipaddr.js', ['lib/']],
  ['@opentelemetry/api', ['telemetry/']],
  ['@opentelemetry/resources', ['telemetry/']],
  ['@opentelemetry/sdk-trace-base', ['telemetry/']],
  ['@opentelemetry/semantic-conventions', ['telemetry/']],
  ['@opentelemetry/exporter-trace-otlp-http', ['telemetry/exporter.ts']],
  ['@opentelemetry/exporter-trace-otlp-proto', ['telemetry/exporter.ts']],
  ['preact', ['admin/console/']],
  ['uplot', ['admin/console/']],
  ['vite', ['admin/console/vite.config.ts']],
]);

/** These are given facts and the time: they do no I/O, and read no clock. */
const PURE = ['policy/', 'event-filter/', 'refusal.ts'];
const PURE_BUILTINS = new Set(['node:crypto', 'node:buffer', 'node:util', 'node:zlib', 'node:net']);

/** In lines: what is longer holds two decisions. */
const LONGEST_FILE = 250;

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
const source = new Map(files.map((file) => [file, readFileSync(join('src', file), 'utf8')]));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

void t.test('every folder has its place in the table', async (t) => {
  t.same(
    [...new Set(files.map(placeOf))].filter((place) => !MAY_IMPORT.has(place)),
    [],
  );
});

void t.test('folders import only what they may know', async (t) => {
  for (const [file, targets] of imports) {
    const place = placeOf(file);
    const known = [place, 'lib', ...(MAY_IMPORT.get(place) ?? [])];
    const wrong = targets.local.filter((to) => !known.includes(placeOf(to)));
    t.same(wrong, [], file);
  }
});

void t.test('what a folder may import stands below it', async (t) => {
  const places = [...MAY_IMPORT.keys()];
  const upward = [...MAY_IMPORT].flatMap(([place, below]) =>
    below.filter((to) => places.indexOf(to) < places.indexOf(place)).map((to) => `${place} > ${to}`),
  );
  t.same(upward, []);
});

void t.test('no arrow stands in the table that nobody uses', async (t) => {
  const used = new Set(
    [...imports].flatMap(([file, { local }]) => local.map((to) => `${placeOf(file)} > ${placeOf(to)}`)),
  );
  const arrows = [...MAY_IMPORT].flatMap(([place, below]) => below.map((to) => `${place} > ${to}`));
  t.same(
    arrows.filter((arrow) => !used.has(arrow)),
    [],
  );
});

void t.test('docs/architecture.md draws every place above what it imports', async (t) => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const drawn = /## Who imports whom\n\n```\n(.*?)```/s.exec(page)?.[1] ?? '';
  const lineOf = new Map(
    drawn.split('\n').flatMap((line, index) => (line.match(/[\w.-]+/g) ?? []).map((place) => [place, index] as const)),
  );
  t.same(new Set(lineOf.keys()), new Set(MAY_IMPORT.keys()));
  for (const [place, below] of MAY_IMPORT)
    for (const to of below) t.ok((lineOf.get(to) ?? 0) > (lineOf.get(place) ?? 0), `${place} > ${to}`);
});

void t.test('packages are known in one place each', async (t) => {
  for (const [file, { packages }] of imports) {
    const wrong = packages.filter((name) => !(ONLY_IN.get(name) ?? []).some((place) => file.startsWith(place)));
    t.same(wrong, [], file);
  }
});

void t.test('policy, event filter and refusals do no I/O and read no clock', async (t) => {
  for (const [file, { builtins }] of imports) {
    if (!PURE.some((folder) => file.startsWith(folder))) continue;
    t.same(
      builtins.filter((name) => !PURE_BUILTINS.has(name)),
      [],
      file,
    );
    t.notMatch(source.get(file) ?? '', /Date\.now\(|new Date\(\)|performance\.now\(|Math\.random\(|setTimeout\(/, file);
  }
});

void t.test('no file imports itself in a circle', async (t) => {
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): string | null => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file].join(' -> ');
    if (done.has(file)) return null;
    for (const to of imports.get(file)?.local ?? []) {
      const circle = walk(to, [...way, file]);
      if (circle !== null) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of files) t.equal(walk(file, []), null, file);
});

void t.test('no source file is too long', async (t) => {
  for (const file of files) t.ok((source.get(file) ?? '').split('\n').length - 1 <= LONGEST_FILE, file);
});

interface Imports {
  readonly local: readonly string[];
  readonly packages: readonly string[];
  readonly builtins: readonly string[];
}

function importsOf(file: string): Imports {
  const statement = /^(?:import|export)\b[^;'"]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
  const names = [...(source.get(file) ?? '').matchAll(statement)].map(
    (found) => found[1] ?? found[2] ?? found[3] ?? '',
  );
  return {
    local: names.filter((name) => name.startsWith('.')).map((name) => normalize(join(dirname(file), name))),
    packages: names.filter((name) => !name.startsWith('.') && !name.startsWith('node:')).map(packageOf),
    builtins: names.filter((name) => name.startsWith('node:')),
  };
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

/** The folder of a file, or the file itself if it stands directly in src/. */
function placeOf(file: string): string {
  return file.split('/', 1)[0] ?? file;
}
