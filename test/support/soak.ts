/**
 * Runs one Postern process under mixed traffic for a long time, with reloads, a backend that comes and goes and a Redis that is
 * restarted, and judges whether anything grows. What it saw comes out as a report.
 */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { portsOf, spawnPostern } from './process.ts';
import { startRedis, type RedisServer } from './redis.ts';
import { writeSharedKeys, API_KEY, CLIENT_SECRET } from './redis-postern.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface SoakResult {
  readonly report: string;
  readonly flat: boolean;
}

interface Sample {
  readonly at: number;
  readonly rssMb: number;
  readonly descriptors: number;
  readonly sockets: number;
  /** Active handles, as Node tells of them. */
  readonly handles: number;
}

const SAMPLE_MS = 2000;
const RELOAD_MS = 3000;
const FLAP_MS = 20_000;
const REDIS_MS = 30_000;
const PAUSE_MS = 10;
/** What a heap may still gain after its first third: it settles for a long time, a leak does not settle. */
const RSS_GAIN = 1.15;
const RSS_SLACK_MB = 16;

export async function runSoak({ seconds, say }: SoakOptions): Promise<SoakResult> {
  const disposers: (() => unknown)[] = [];
  const owner = { teardown: (dispose: () => unknown) => void disposers.unshift(dispose) };
  try {
    return await soak(owner, { seconds, say });
  } finally {
    for (const dispose of disposers) await dispose();
  }
}

async function soak(owner: Pick<Test, 'teardown'>, { seconds, say }: SoakOptions): Promise<SoakResult> {
  const redis = await startRedis(owner as Test, { conf: ['appendonly yes', 'appendfsync always'] });
  await writeSharedKeys(redis);
  const backend = await startFlappingBackend(owner);
  const config = (reload: number) => ({
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    apis: {
      integration: { upstream: backend.url, maxConnections: 64 + (reload % 2) },
      metrics: {
        upstream: backend.url,
        token: { secret: 't'.repeat(32) },
        cache: { store: 'redis', maxBytes: 4_194_304 },
      },
    },
    keys: { source: 'redis' },
    redis: { url: redis.url },
    rateLimit: { store: 'redis' },
  });
  const postern = spawnPostern(owner, { config: config(0), keys: [] });
  const { data, admin } = await portsOf(postern);
  const pid = postern.child.pid ?? 0;
  // What is written is not needed, and would grow here.
  postern.child.stdout?.removeAllListeners('data').resume();

  const traffic = startTraffic(data, () => backend.isFlapping());
  const counts = { reloads: 0, flaps: 0, redisRestarts: 0 };
  const repeat = (everyMs: number, act: () => unknown): void => {
    const timer = setInterval(act, everyMs);
    owner.teardown(() => clearInterval(timer));
  };
  repeat(RELOAD_MS, () => {
    writeFileSync(postern.configFile, stringify(config(++counts.reloads)));
    postern.child.kill('SIGHUP');
  });
  repeat(FLAP_MS, () => (counts.flaps++, backend.flap()));
  repeat(REDIS_MS, () => (counts.redisRestarts++, restart(redis)));

  const samples: Sample[] = [];
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end && postern.child.exitCode === null) {
    await pause(SAMPLE_MS);
    const sample = await takeSample(pid, admin, seconds - (end - Date.now()) / 1000);
    samples.push(sample);
    if (samples.length % 10 === 0)
      say(`${Math.round(sample.at)} s: ${JSON.stringify({ ...sample, requests: traffic.total() })}`);
  }
  const outcomes = await traffic.stop();
  for (const dispose of traffic.agents) dispose();
  await pause(6000);
  const rest = await takeSample(pid, admin, seconds);
  return judge({ seconds, samples, rest, outcomes, counts, alive: postern.child.exitCode === null });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function restart(redis: RedisServer): Promise<void> {
  await redis.kill();
  await pause(500);
  await redis.restart();
}

interface FlappingBackend {
  readonly url: string;
  readonly flap: () => void;
  /** Whether it is away, or was a moment ago. */
  readonly isFlapping: () => boolean;
}

async function startFlappingBackend(owner: Pick<Test, 'teardown'>): Promise<FlappingBackend> {
  let answered = 0;
  let backAt = 0;
  const answer = (req: IncomingMessage, res: http.ServerResponse): void => {
    req.resume().on('end', () => {
      const size = answered++ % 50 === 0 ? 200_000 : 200;
      setTimeout(
        () => res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify('x'.repeat(size))),
        answered % 7,
      );
    });
  };
  const server = http.createServer(answer);
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  owner.teardown(close);
  return {
    url: `http://127.0.0.1:${port}`,
    flap: () => {
      backAt = Date.now() + 1000;
      close();
      setTimeout(() => void listen(port), 1000);
    },
    isFlapping: () => Date.now() < backAt + 2000,
  };
}

interface Traffic {
  readonly total: () => number;
  readonly stop: () => Promise<ReadonlyMap<string, number>>;
  readonly agents: readonly (() => void)[];
}

interface Kind {
  readonly name: string;
  readonly expected: readonly number[];
  readonly send: (n: number) => Promise<number>;
}

/** Each kind of request by clients of its own, one after the other; `mayFail` while the backend is away. */
function startTraffic(port: number, mayFail: () => boolean): Traffic {
  const agent = new http.Agent({ keepAlive: true });
  const outcomes = new Map<string, number>();
  const state = { over: false, total: 0 };
  const run = async ({ name, expected, send }: Kind): Promise<void> => {
    for (let n = 0; !state.over; n++) {
      const flapped = mayFail();
      const status = await send(n).catch(() => 0);
      const isExpected = expected.includes(status);
      const excused = !isExpected && (flapped || mayFail()) && [0, 502, 503, 504].includes(status);
      const what = isExpected
        ? 'as expected'
        : excused
          ? 'failed while the backend was away'
          : `unexpected: ${name} ${status}`;
      outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
      state.total++;
      await pause(PAUSE_MS);
    }
  };
  const running = kindsOf(port, agent).flatMap((kind) => [run(kind), run(kind)]);
  return {
    total: () => state.total,
    stop: async () => {
      state.over = true;
      await Promise.all(running);
      return outcomes;
    },
    agents: [() => agent.destroy()],
  };
}

function kindsOf(port: number, agent: http.Agent): readonly Kind[] {
  const ask = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | Buffer = '',
  ): Promise<number> =>
    new Promise((resolve, reject) => {
      const req = http.request({ host: '127.0.0.1', port, agent, method, path, headers }, (res) => {
        res
          .resume()
          .on('end', () => resolve(res.complete ? (res.statusCode ?? 0) : 0))
          .on('error', reject);
      });
      req.on('error', reject).end(body);
    });
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}`, 'content-type': 'application/json' });
  const server = bearer('secret-of-server');
  const limited = bearer('secret-of-limited');
  const token = new Map<string, string>();
  const metrics = async (n: number): Promise<number> => {
    if (!token.has('is') || n % 500 === 0) token.set('is', await obtainToken(port));
    return ask('POST', '/metrics/query', bearer(token.get('is') ?? ''), `{"n":${n % 5 === 0 ? n : n % 5}}`);
  };
  return [
    { name: 'read', expected: [200], send: (n) => ask('GET', `/profile/${n}`, server) },
    { name: 'write', expected: [200], send: () => ask('POST', '/event/ingest', server, '{"name":"login"}') },
    { name: 'limited', expected: [200], send: () => ask('POST', '/event/ingest', limited, '{"name":"login"}') },
    { name: 'upload', expected: [200], send: () => ask('POST', '/profile', server, Buffer.alloc(100_000, 'x')) },
    { name: 'query', expected: [200], send: metrics },
    { name: 'no credential', expected: [401], send: () => ask('POST', '/profile', {}, '{}') },
    { name: 'wrong credential', expected: [401], send: (n) => ask('GET', `/${n}`, bearer(`wrong-${n}`)) },
    { name: 'ambiguous path', expected: [400], send: (n) => ask('GET', `/a//${n}`, server) },
    { name: 'client that leaves', expected: [0], send: (n) => leave(port, n) },
  ];
}

async function obtainToken(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientSecret: CLIENT_SECRET, environmentApiKey: API_KEY }),
  });
  return ((await answer.json()) as { accessToken: string }).accessToken;
}

/** Goes away in the middle of the head, the body or the answer. */
function leave(port: number, n: number): Promise<number> {
  const text =
    'POST /profile HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret-of-server\r\nContent-Length: 20\r\n\r\n{"a":"aaaaaaaaaaaaaa';
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () =>
      socket.write(text.slice(0, 40 * (1 + (n % 4))), () => socket.resetAndDestroy()),
    );
    socket.on('error', () => undefined).on('close', () => resolve(0));
  });
}

async function takeSample(pid: number, admin: number, at: number): Promise<Sample> {
  const descriptors = readdirSync(`/proc/${pid}/fd`);
  const isSocket = (descriptor: string): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`).startsWith('socket:');
    } catch {
      return false;
    }
  };
  const scrape = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    at,
    rssMb: Math.round(Number(rss) / 1024),
    descriptors: descriptors.length,
    sockets: descriptors.filter(isSocket).length,
    handles: Number(/^nodejs_active_handles_total (\d+)$/m.exec(scrape)?.[1] ?? 0),
  };
}

interface Seen {
  readonly seconds: number;
  readonly samples: readonly Sample[];
  /** After the traffic had ended. */
  readonly rest: Sample;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly counts: Readonly<Record<'reloads' | 'flaps' | 'redisRestarts', number>>;
  readonly alive: boolean;
}

function judge({ seconds, samples, rest, outcomes, counts, alive }: Seen): SoakResult {
  const third = Math.floor(samples.length / 3);
  const parts = [samples.slice(0, third), samples.slice(third, 2 * third), samples.slice(2 * third)];
  const medians = (of: (sample: Sample) => number): number[] => parts.map((part) => median(part.map(of)));
  const rows = (['rssMb', 'descriptors', 'sockets', 'handles'] as const).map((name) => ({
    name,
    values: medians((sample) => sample[name]),
    rest: rest[name],
  }));
  const grew = (name: string, [, middle = 0, last = 0]: readonly number[]): boolean =>
    name === 'rssMb' ? last > middle * RSS_GAIN + RSS_SLACK_MB : last > middle * 1.25 + 10;
  const grown = rows.filter(({ name, values }) => grew(name, values)).map(({ name }) => name);
  const unexpected = [...outcomes].filter(([what]) => what.startsWith('unexpected'));
  const flat = alive && grown.length === 0 && unexpected.length === 0;
  const verdict = flat
    ? 'Flat: nothing grew, the process lived, and no request failed but those that met a backend that was away.'
    : `Not flat: ${[alive ? '' : 'the process ended', ...grown.map((name) => `${name} grew`), ...unexpected.map(([what, count]) => `${count} ${what}`)].filter(Boolean).join('; ')}.`;
  const table = rows
    .map(({ name, values, rest }) => `| ${LABELS[name]} | ${values.join(' | ')} | ${rest} |`)
    .join('\n');
  const report = `# Soak

The result of the last \`npm run soak\` that was kept. One Postern process, keys, cache and rate limits in Redis; nine kinds of requests
by eighteen clients (reads, writes, uploads, metric queries, refusals, clients that reset their connection); the configuration reloaded
every ${RELOAD_MS / 1000} s, the backend gone for 1 s every ${FLAP_MS / 1000} s, Redis killed and started again every ${REDIS_MS / 1000} s.

${verdict}

${seconds} s with Node ${process.version}: ${[...outcomes.values()].reduce((sum, count) => sum + count, 0)} requests, ${counts.reloads} reloads, ${counts.flaps} flaps of the backend, ${counts.redisRestarts} restarts of Redis.

| outcome | requests |
| --- | --- |
${[...outcomes].map(([what, count]) => `| ${what} | ${count} |`).join('\n')}

Medians of each third of the run, and what was left six seconds after the traffic had ended:

| | first third | second third | last third | at rest |
| --- | --- | --- | --- | --- |
${table}

Flat means: the last third is at most ${Math.round((RSS_GAIN - 1) * 100)} % and ${RSS_SLACK_MB} MB above the second in memory, and at most 25 % and 10 in the other rows.
`;
  return { report, flat };
}

const LABELS = {
  rssMb: 'resident memory (MB)',
  descriptors: 'file descriptors',
  sockets: 'sockets',
  handles: 'handles',
} as const;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
