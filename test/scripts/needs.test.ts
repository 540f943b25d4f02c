/** What named test files need besides the compiled sources, so that one file starts without a browser, a server and a build. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';

interface Needs {
  readonly tools: readonly string[];
  readonly console: boolean;
  /** As it is shipped. */
  readonly sidecar: boolean;
}
const { needsOf } = (await import(pathToFileURL(resolve('scripts/tests/needs.js')).href)) as {
  needsOf: (files: readonly string[]) => Needs;
};

const NOTHING: Needs = { tools: [], console: false, sidecar: false };
const SIDECAR: Needs = { ...NOTHING, sidecar: true };

t.test('a file needs what it says, and what the support that it imports says', async (t) => {
  t.same(needsOf(['test/policy/route.test.ts']), NOTHING);
  t.same(needsOf(['test/flows/event-batch.test.ts']), SIDECAR, 'a flow is a Postern and a backend in this process');
  t.same(needsOf(['test/observability/rules.test.ts']), { ...NOTHING, tools: ['prometheus', 'promtool'] });
  t.same(needsOf(['test/flows/redis-keys.test.ts']), { ...SIDECAR, tools: ['redis-server'] });
  t.same(needsOf(['test/flows/cors-in-a-browser.test.ts']), { ...SIDECAR, tools: ['chromium'] });
  t.same(needsOf(['test/console/keys.test.ts']), { ...SIDECAR, tools: ['chromium'], console: true });
  t.same(needsOf(['test/console/build.test.ts', 'test/attacks/polyglots.test.ts']), {
    ...SIDECAR,
    tools: ['python3'],
    console: true,
  });
});

t.test('imports are followed as they are written, round in circles too, and not into src/', async (t) => {
  const dir = t.testdir({
    'lines.ts': "import {\n  a,\n} from './support/a.ts';\n",
    'later.ts': "const a = await import('./support/a.ts');\n",
    'plain.ts': "import './support/a.ts';\n",
    'again.ts': "export { a } from './support/a.ts';\n",
    support: { 'a.ts': "import './b.ts';\n", 'b.ts': "import './a.ts';\nrequireTool('tool', 'package');\n" },
  });
  for (const file of ['lines', 'later', 'plain', 'again'])
    t.same(needsOf([relative('.', join(dir, `${file}.ts`))]).tools, ['tool'], file);
  t.same(needsOf(['src/admin/static.ts']), NOTHING);
});

t.test('no file starts a program without saying so', async (t) => {
  const all = readdirSync('test', { recursive: true, encoding: 'utf8' }).map((file) => join('test', file));
  const { tools } = needsOf(all.filter((file) => file.endsWith('.test.ts')));
  t.same(tools, [
    'caddy',
    'chromium',
    'haproxy',
    'kubectl',
    'nginx',
    'prometheus',
    'promtool',
    'python3',
    'redis-server',
    'script',
    'systemd-analyze',
  ]);
  for (const file of all.filter((name) => name.endsWith('.ts')))
    for (const tool of tools)
      t.notMatch(
        readFileSync(file, 'utf8'),
        new RegExp(`(?:spawn|spawnSync|execFile|execFileSync)\\('${tool}'`),
        `${file}: ${tool}`,
      );
});
