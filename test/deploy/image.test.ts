/** What the image is made of, as far as that can be told without an engine: its recipe, its health check, its bill of materials. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const dockerfile = readFileSync('Dockerfile', 'utf8');
const { version, dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

interface Component {
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly unknown[];
}

interface Installed {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, Installed>>;
}

t.test('both stages come from one build of one base, and the labels tell the version', async (t) => {
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  t.equal(bases.length, 2);
  t.equal(new Set(bases).size, 1);
  t.match(bases[0], /^node:\d+-[a-z]+-slim@sha256:[0-9a-f]{64}$/);
  t.match(dockerfile, `ARG VERSION=${version}\n`);
});

t.test('the bill of materials names what is installed, each with licence and digest', async (t) => {
  const bill = JSON.parse(execFileSync(process.execPath, ['scripts/sbom.js'], { encoding: 'utf8' })) as {
    readonly components: readonly Component[];
    readonly metadata: { readonly component: Component };
  };
  t.equal(bill.metadata.component.name, 'postern');
  t.equal(bill.metadata.component.version, version);
  const listed = spawnSync('npm', ['ls', '--omit=dev', '--all', '--json'], { encoding: 'utf8' });
  const installed = new Set(named((JSON.parse(listed.stdout) as Installed).dependencies ?? {}));
  t.same(
    bill.components.map((component) => `${component.name}@${component.version}`).toSorted(),
    [...installed].toSorted(),
  );
  for (const name of Object.keys(dependencies))
    t.ok(
      bill.components.some((component) => component.name === name),
      name,
    );
  for (const { name, licenses = [], hashes = [] } of bill.components) {
    t.ok(licenses.length > 0, `${name} has a licence`);
    t.ok(hashes.length > 0, `${name} has a digest`);
  }
});

function named(packages: Readonly<Record<string, Installed>>): string[] {
  return Object.entries(packages).flatMap(([name, { version: installed, dependencies: further = {} }]) =>
    installed === undefined ? [] : [`${name}@${installed}`, ...named(further)],
  );
}

t.test('the health check tells a healthy admin port from all others', async (t) => {
  const answer = (status: number) => (_: IncomingMessage, res: ServerResponse) => void res.writeHead(status).end('{}');
  t.equal(await verdict(await listening(t, createServer(answer(200)))), 0, 'healthy');
  t.equal(await verdict(await listening(t, createServer(answer(503)))), 1, 'unhealthy');
  const pair = { key: readFileSync('test/fixtures/tls/key.pem'), cert: readFileSync('test/fixtures/tls/cert.pem') };
  t.equal(await verdict(await listening(t, createTlsServer(pair, answer(200)))), 0, 'healthy, by TLS');
  t.equal(await verdict(await listening(t, createTlsServer(pair, answer(503)))), 1, 'unhealthy, by TLS');
  // As it goes when the port has closed between two lines of the question.
  const broken = t.testdir({ 'broken-pipe.sh': 'printf() { kill -PIPE $$; }' });
  const secure = await listening(t, createTlsServer(pair, answer(200)));
  t.equal(await verdict(secure, { BASH_ENV: join(broken, 'broken-pipe.sh') }), 0, 'nor does a broken pipe end it');
  const closed = createServer();
  const port = await listening(t, closed);
  closed.close();
  t.equal(await verdict(port), 1, 'nobody there');
});

t.test('the URL that Kubernetes sets for a Service of that name is no port', async (t) => {
  const env = { ...process.env, POSTERN_ADMIN_PORT: 'tcp://10.96.12.34:9090' };
  const { stderr } = spawnSync('bash', ['-x', 'deploy/image/healthcheck.sh'], { env, encoding: 'utf8' });
  t.match(stderr, /^\+ port=9090$/m);
});

async function listening(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function verdict(port: number, more: NodeJS.ProcessEnv = {}): Promise<number> {
  const check = spawn('deploy/image/healthcheck.sh', {
    env: { ...process.env, ...more, POSTERN_ADMIN_PORT: `${port}` },
    stdio: 'ignore',
  });
  const [code] = (await once(check, 'exit')) as [number];
  return code;
}
