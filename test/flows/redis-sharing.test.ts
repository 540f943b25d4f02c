/** What replicas share through Redis besides keys: cached answers and rate limits; and what they do when it is gone. */
import t, { type Test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';
import { startNumberingBackend, startReplica, writeSharedKeys, type Replica } from '../support/redis-postern.ts';

async function twoReplicas(t: Test, more: Record<string, unknown> = {}) {
  const redis = await startRedis(t);
  await writeSharedKeys(redis);
  const backend = await startNumberingBackend(t);
  const start = (): Promise<Replica> => startReplica(t, backend.url, { url: redis.url }, more);
  const replicas = (await Promise.all([start(), start()])) as [Replica, Replica];
  for (const replica of replicas)
    for (const use of ['cache', 'rate_limit'])
      await eventually(
        async () => (await replica.metric(`postern_redis_up{use="${use}"}`)) === 1,
        `${use} to be shared`,
      );
  return { redis, backend, replicas };
}

/** How often a replica went on without Redis so far, once its log has come. */
async function disturbances(replica: Replica): Promise<number> {
  const requestId = `log-mark-${replica.lines.length}`;
  await fetch(replica.url, { headers: { 'x-request-id': requestId } });
  await eventually(() => replica.lines.some((line) => line['requestId'] === requestId), 'the log');
  return replica.lines.filter(({ msg }) => msg === 'redis_fallback_begins').length;
}

/**
 * What came of the first attempt during which Redis answered in time: on a busy machine it may take longer than replicas wait for
 * it, and they go on without, as they should. Attempts are numbered, for names of their own.
 */
async function undisturbed<T>(replicas: readonly Replica[], attempt: (n: number) => Promise<T>): Promise<T> {
  for (let n = 1; ; n += 1) {
    const before = await Promise.all(replicas.map(disturbances));
    const result = await attempt(n);
    const after = await Promise.all(replicas.map(disturbances));
    if (n === 5 || after.every((count, i) => count === (before[i] ?? 0))) return result;
    // The time after which a replica asks Redis again.
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Keys of the shared ones that are of the type of all that come here. */
const SHARED = 2;

/** Resolves when an answer is in Redis, or this replica goes on without it and `undisturbed` begins again. */
async function storedOrAlone(replica: Replica, isStored: () => Promise<boolean>): Promise<void> {
  const alone = (): number => replica.lines.filter(({ msg }) => msg === 'redis_fallback_begins').length;
  const before = alone();
  await eventually(async () => alone() > before || (await isStored()), 'the answer to be in Redis');
}

const answerOf = async (answer: Promise<Response>): Promise<{ cache: string | null; body: string }> => {
  const got = await answer;
  return { cache: got.headers.get('cache-status'), body: await got.text() };
};

/** The names of the answers in Redis. */
const storedAnswers = async (redis: RedisServer): Promise<string[]> =>
  (await redis.admin.keys('postern:cache:*')).filter((name) => /:[0-9a-f]{64}$/.test(name));

t.jobs = 2;

t.test(
  'the answer that one replica fetched is a hit in the other, also after a restart',
  { buffered: true },
  async (t) => {
    const { redis, backend, replicas } = await twoReplicas(t, { admin: { token: 'a'.repeat(32) } });
    const [one, two] = replicas;
    const token = await one.obtainToken();
    const involved: Replica[] = [one, two];
    const { answers, calls } = await undisturbed(involved, async (n) => {
      const ask = (replica: Replica) => answerOf(replica.query(token, `{"variables":{"n":${n}}}`));
      const callsBefore = backend.requests.length;
      const storedBefore = (await storedAnswers(redis)).length;
      const first = await ask(one);
      await storedOrAlone(one, async () => (await storedAnswers(redis)).length > storedBefore);
      const second = await ask(two);
      const third = await startReplica(t, backend.url, { url: redis.url });
      involved.push(third);
      await eventually(async () => (await third.metric('postern_redis_up{use="cache"}')) === 1, 'the third replica');
      return { answers: [first, second, await ask(third)], calls: backend.requests.length - callsBefore };
    });
    const [first, second, last] = answers;
    t.equal(first?.cache, 'postern; fwd=miss; stored');
    t.match(second?.cache, /^postern; hit; ttl=\d+$/);
    t.match(last?.cache, /^postern; hit; ttl=\d+$/);
    t.same([second?.body, last?.body], [first?.body, first?.body]);
    t.equal(calls, 1);

    const purge = { method: 'POST', headers: { authorization: `Bearer ${'a'.repeat(32)}` } };
    t.equal((await fetch(`${two.adminUrl}/api/cache/purge`, purge)).status, 204);
    await eventually(async () => {
      const { cache } = await answerOf(one.query(token, '{"variables":{}}'));
      return cache === 'postern; fwd=miss; stored';
    }, 'the purge to reach the other replica');
  },
);

t.test('what is odd in Redis is a miss; other deployments have nothing in common', { buffered: true }, async (t) => {
  const { redis, backend, replicas } = await twoReplicas(t);
  const [one] = replicas;
  const token = await one.obtainToken();
  const body = await undisturbed([one], async (n) => {
    const before = (await storedAnswers(redis)).length;
    const asked = `{"n":${n}}`;
    await answerOf(one.query(token, asked));
    await storedOrAlone(one, async () => (await storedAnswers(redis)).length > before);
    return asked;
  });
  for (const name of await storedAnswers(redis))
    await redis.admin.set(name, '{"status":200,"body":"forged"}', 'KEEPTTL');
  const fresh = await startReplica(t, backend.url, { url: redis.url });
  await eventually(async () => (await fresh.metric('postern_redis_up{use="cache"}')) === 1, 'the replica');
  t.match(await answerOf(fresh.query(token, body)), { cache: 'postern; fwd=miss; stored', body: /^\{"answer":\d+\}$/ });

  await writeSharedKeys(redis, 'other:');
  const other = await startReplica(t, backend.url, { url: redis.url, prefix: 'other:' });
  await eventually(async () => (await other.metric('postern_redis_up{use="cache"}')) === 1, 'the other deployment');
  t.equal((await answerOf(other.query(token, body))).cache, 'postern; fwd=miss; stored');
  const elsewhere = await startNumberingBackend(t);
  const moved = await startReplica(t, elsewhere.url, { url: redis.url });
  await eventually(async () => (await moved.metric('postern_redis_up{use="cache"}')) === 1, 'the other upstream');
  t.equal((await answerOf(moved.query(token, body))).cache, 'postern; fwd=miss; stored');
});

t.test('one limit holds for all replicas, and each keeps it by itself without Redis', { buffered: true }, async (t) => {
  const { redis, replicas } = await twoReplicas(t);
  const [one, two] = replicas;
  const { secret, statuses, limited } = await undisturbed(replicas, async (n) => {
    const id = `few-${n}`;
    const secret = `secret-of-${id}`;
    await changeKeys(redis.admin, {
      set: { [id]: definitionOf(id, { rateLimit: { requests: 5, windowSeconds: 600 } }) },
    });
    for (const replica of replicas)
      await eventually(
        async () => (await replica.metric('postern_keys{type="read-write",state="active"}')) === SHARED + n,
        'the key to be known',
      );
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) statuses.push(await (n % 2 === 0 ? one : two).statusOf(secret));
    const headers = { authorization: `Bearer ${secret}` };
    const limited = await Promise.all(replicas.map(({ url }) => fetch(`${url}/profile/u1`, { headers })));
    return { secret, statuses, limited };
  });
  t.same(statuses, [200, 200, 200, 200, 200]);
  for (const answer of limited) {
    t.equal(answer.status, 429);
    const wait = Number(answer.headers.get('retry-after'));
    t.ok(wait > 500 && wait <= 600, `Retry-After: ${wait}`);
    t.match(await answer.json(), { code: 'rate_limited' });
  }
  await redis.kill();
  await one.sourceUp(0);
  await two.sourceUp(0);
  const alone = async (replica: Replica): Promise<number[]> => {
    const got: number[] = [];
    for (let n = 0; n < 4; n++) got.push(await replica.statusOf(secret));
    return got;
  };
  t.same(await alone(one), [200, 200, 429, 429], 'it had admitted three');
  t.same(await alone(two), [200, 200, 200, 429], 'it had admitted two');
});

t.test('report mode counts as enforcement does, and lets pass', { buffered: true }, async (t) => {
  const { redis, replicas } = await twoReplicas(t);
  const reported = await undisturbed(replicas, async (n) => {
    const id = `watched-${n}`;
    const definition = definitionOf(id, { mode: 'report', rateLimit: { requests: 1, windowSeconds: 600 } });
    await changeKeys(redis.admin, { set: { [id]: definition } });
    const ask = (replica: Replica): Promise<number> => replica.statusOf(`secret-of-${id}`);
    for (const replica of replicas) await eventually(async () => (await ask(replica)) === 200, 'the key to be known');
    for (const replica of replicas) t.equal(await ask(replica), 200);
    const series = `postern_rejections_total{api="integration",key="${id}",reason="rate_limited",mode="report"}`;
    let reported = 0;
    for (const replica of replicas) reported += await replica.metric(series);
    return reported;
  });
  t.equal(reported, 3, 'all but the first of four');
});
