/** The shipped example files are what a strict `check` wants, and the compose file runs those that are there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { runCheck } from '../src/commands/check.ts';
import { loadConfig } from '../src/config/load.ts';
import { loadKeyFile } from '../src/keys/key-file.ts';
import { capturedIo } from './support/command-io.ts';

const env = { POSTERN_ADMIN_TOKEN: 'only-to-check-the-example', POSTERN_TOKEN_SECRET: 's'.repeat(32) };
const examples = ['postern.yaml', 'compose.yaml', 'compose-redis.yaml'].map((file) => join('config', file));

t.test('each passes `check --strict`, and its keys are usable', async (t) => {
  for (const file of examples) {
    const { io, out } = capturedIo({ env });
    t.equal(await runCheck({ config: file, strict: true, json: false }, io), 0, out.join('\n'));
    const { config } = loadConfig(file, env);
    t.same(loadKeyFile(config?.keys.file ?? '', env).problems, []);
  }
});

t.test('a Service named as Postern is, or as its ports are, changes nothing', async (t) => {
  for (const file of [...examples, 'config/image/postern.yaml']) {
    const names = [...readFileSync(file, 'utf8').matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
    const ports = names.filter((name) => name.endsWith('_PORT'));
    const links = Object.fromEntries(ports.map((name) => [name, 'tcp://10.96.12.34:8080']));
    t.same(loadConfig(file, { ...env, ...links }), loadConfig(file, env), file);
    // What is set for a Service NAME, besides NAME_PORT: none of it may be a name of ours.
    for (const name of names) t.notMatch(name, /_SERVICE_HOST$|_SERVICE_PORT|_PORT_\d+_/);
  }
});

t.test('with Redis, everything that can be shared is', async (t) => {
  const { config } = loadConfig('config/compose-redis.yaml', env);
  t.match(config, {
    apis: { metrics: { cache: { store: 'redis' } } },
    keys: { source: 'redis' },
    rateLimit: { store: 'redis' },
  });
});

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}

t.test('the compose file names services, files and variables that are there', async (t) => {
  const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
    readonly services: Readonly<Record<string, Service>>;
  };
  for (const [name, { environment = {}, volumes = [], depends_on = [] }] of Object.entries(services)) {
    for (const other of Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)) t.ok(services[other], name);
    for (const volume of volumes.filter((path) => path.startsWith('./'))) t.ok(existsSync(volume.split(':')[0] ?? ''));
    const config = environment['POSTERN_CONFIG'];
    if (config === undefined) continue;
    const file = config.replace('/etc/postern', 'config');
    t.ok(examples.includes(file), file);
    for (const [, variable = ''] of readFileSync(file, 'utf8').matchAll(/\$\{([A-Z_]+)\}/g))
      t.ok(variable in environment, `${name}: ${variable}`);
  }
});
