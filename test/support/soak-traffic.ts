/**
 * The traffic of a soak: nine kinds of requests, each by clients of its own, and what became of them. Some clients keep one
 * connection from the beginning to the end: what is left on a connection by each request is seen there.
 */
import http from 'node:http';
import net from 'node:net';
import { API_KEY, CLIENT_SECRET } from './redis-postern.ts';

export interface Traffic {
  /** Lets the clients ask until `until` (milliseconds since the epoch); resolves when all have stopped. */
  readonly run: (until: number) => Promise<void>;
  /** One request each on the connections that stay; the others are closed. */
  readonly touch: () => Promise<void>;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly close: () => void;
}

interface Kind {
  readonly name: string;
  readonly expected: readonly number[];
  readonly send: (n: number, agent: http.Agent) => Promise<number>;
  /** Between two requests of one client. */
  readonly pauseMs: number;
}

const PAUSE_MS = 10;
/**
 * Clients that open connections as they need them, beside the one of each kind that keeps its own. More of those whose requests
 * leave a record each: a record is a few bytes, and must show among what fills and settles.
 */
const passingOf = ({ name }: Kind): number => (name === 'limited' ? 3 : 1);
/** Longer than Postern waits for anything. */
const ANSWER_MS = 60_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const bearer = (secret: string): Record<string, string> => ({
  authorization: `Bearer ${secret}`,
  'content-type': 'application/json',
});

/** `mayFail`: the backend is away. */
export function startTraffic(port: number, mayFail: () => boolean): Traffic {
  const kinds = kindsOf(port);
  const outcomes = new Map<string, number>();
  const steady = new Map(kinds.map((kind) => [kind, new http.Agent({ keepAlive: true, maxSockets: 1 })]));
  const passing = new http.Agent({ keepAlive: true });
  const counts = new Map<Kind, number>();
  const once = async (kind: Kind, agent: http.Agent): Promise<void> => {
    const n = counts.get(kind) ?? 0;
    counts.set(kind, n + 1);
    const flapped = mayFail();
    const status = await kind.send(n, agent).catch(() => 0);
    const isExpected = kind.expected.includes(status);
    const excused = !isExpected && (flapped || mayFail()) && [0, 502, 503, 504].includes(status);
    const failed = excused ? 'failed while the backend was away' : `unexpected: ${kind.name} ${status}`;
    const what = isExpected ? 'as expected' : failed;
    outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
  };
  const repeat = async (kind: Kind, agent: http.Agent, until: number): Promise<void> => {
    while (Date.now() < until) {
      await once(kind, agent);
      await pause(kind.pauseMs);
    }
  };
  return {
    run: async (until) => {
      const clients = [...steady].flatMap(([kind, agent]) => [
        repeat(kind, agent, until),
        ...Array.from({ length: passingOf(kind) }, () => repeat(kind, passing, until)),
      ]);
      await Promise.all(clients);
    },
    touch: async () => {
      passing.destroy();
      await Promise.all([...steady].map(([kind, agent]) => once(kind, agent)));
    },
    outcomes,
    close: () => {
      for (const agent of [passing, ...steady.values()]) agent.destroy();
    },
  };
}

export function ask(
  target: { readonly port: number; readonly agent?: http.Agent | undefined },
  [method, path]: readonly [string, string],
  headers: Record<string, string>,
  body: string | Buffer = '',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: '127.0.0.1', ...target, method, path, headers }, (res) => {
      res
        .resume()
        .on('end', () => resolve(res.complete ? (res.statusCode ?? 0) : 0))
        .on('error', reject);
    });
    req.setTimeout(ANSWER_MS, () => req.destroy(new Error('no answer came')));
    req.on('error', reject).end(body);
  });
}

function kindsOf(port: number): readonly Kind[] {
  const server = bearer('secret-of-server');
  const limited = bearer('secret-of-limited');
  const upload = Buffer.alloc(100_000, 'x');
  const token = new Map<string, string>();
  const query = async (n: number, agent: http.Agent): Promise<number> => {
    if (!token.has('is') || n % 500 === 0) token.set('is', await obtainToken(port));
    const body = `{"n":${n % 5 === 0 ? n : n % 5}}`;
    return ask({ port, agent }, ['POST', '/metrics/query'], bearer(token.get('is') ?? ''), body);
  };
  const kind = (name: string, expected: number, send: Kind['send']): Kind => ({
    name,
    expected: [expected],
    send,
    pauseMs: name === 'limited' ? 2 : PAUSE_MS,
  });
  const event = '{"name":"login"}';
  return [
    kind('read', 200, (n, agent) => ask({ port, agent }, ['GET', `/profile/${n}`], server)),
    kind('write', 200, (_n, agent) => ask({ port, agent }, ['POST', '/event/ingest'], server, event)),
    kind('limited', 200, (_n, agent) => ask({ port, agent }, ['POST', '/event/ingest'], limited, event)),
    kind('upload', 200, (_n, agent) => ask({ port, agent }, ['POST', '/profile'], server, upload)),
    kind('query', 200, query),
    kind('no credential', 401, (_n, agent) => ask({ port, agent }, ['POST', '/profile'], {}, '{}')),
    kind('wrong credential', 401, (n, agent) => ask({ port, agent }, ['GET', `/${n}`], bearer(`wrong-${n}`))),
    kind('ambiguous path', 400, (n, agent) => ask({ port, agent }, ['GET', `/a//${n}`], server)),
    kind('client that leaves', 0, (n) => leave(port, n)),
  ];
}

async function obtainToken(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
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
