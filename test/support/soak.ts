/**
 * Runs two Posterns under mixed traffic, with reloads, backends that come and go and a Redis that is restarted, and says
 * whether anything grows. What it saw comes out as a report.
 */
import type { Test } from 'tap';
import { startRedis, type RedisServer } from './redis.ts';
import { SHARED_KEYS, writeSharedKeys } from './redis-postern.ts';
import { startSubject, type Subject } from './soak-subject.ts';
import { type Counts, verdictOf } from './soak-verdict.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly say: (line: string) => void;
  /** The compiled `main.js` to start, if not that of the build. */
  readonly entry?: string;
}

export interface SoakResult {
  readonly report: string;
  /** Why it is not flat; none: it is. */
  readonly findings: readonly string[];
}

const RELOAD_MS = 3000;
const FLAP_MS = 20_000;
const REDIS_MS = 30_000;
/** Shares of the time: the first fills what fills once. */
const ROUNDS = [0.25, 0.375, 0.375];
/** A limit at which each request is a record of its own, in a window that is over at rest. */
const LIMIT = { requests: 1000, windowSeconds: 1 };

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const disposers: (() => unknown)[] = [];
  const owner = { teardown: (dispose: () => unknown) => void disposers.unshift(dispose) };
  try {
    return await soak(owner as unknown as Test, options);
  } finally {
    for (const dispose of disposers) await dispose();
  }
}

async function soak(owner: Test, { seconds, say, entry }: SoakOptions): Promise<SoakResult> {
  const redis = await startRedis(owner, { conf: ['appendonly yes', 'appendfsync always'] });
  await writeSharedKeys(redis);
  const keys = Object.entries(SHARED_KEYS).map(([id, definition]) => ({
    ...(JSON.parse(definition) as Record<string, unknown>),
    id,
    ...(id === 'limited' && { rateLimit: LIMIT }),
  }));
  const shared = { keys: { source: 'redis' }, redis: { url: redis.url }, rateLimit: { store: 'redis' } };
  const subjects = await Promise.all([
    startSubject(owner, { name: 'in memory', entry, keys, config: {}, cacheStore: 'memory' }),
    startSubject(owner, { name: 'in Redis', entry, keys: [], config: shared, cacheStore: 'redis' }),
  ]);
  const events = { reloads: 0, flaps: 0, redisRestarts: 0 };
  const counts = new Map<Subject, Counts[]>(subjects.map((subject) => [subject, []]));
  const complaints: string[] = [];
  try {
    for (const share of ROUNDS) {
      await round({ subjects, redis, ms: seconds * share * 1000, events });
      const rests = subjects.map(async (subject) => {
        const { counts: found, complaints: heard } = await subject.atRest(LIMIT.windowSeconds * 1000);
        counts.get(subject)?.push(found);
        complaints.push(...heard);
        say(`${subject.name}: ${JSON.stringify(found)}`);
      });
      await Promise.all(rests);
    }
    for (const subject of subjects) complaints.push(...(await subject.checkLimit()));
  } catch (error) {
    complaints.push(`it did not come to rest: ${(error as Error).message}`);
  }
  for (const { name, end } of subjects) {
    const how = end();
    if (how !== null) complaints.push(`${name}: ${how}`);
  }
  const outcomes = new Map<string, number>();
  const total = (of: ReadonlyMap<string, number>): number => [...of.values()].reduce((sum, count) => sum + count, 0);
  for (const { traffic } of subjects)
    for (const [what, count] of traffic.outcomes) outcomes.set(what, (outcomes.get(what) ?? 0) + count);
  const seen = subjects.map((subject) => ({
    name: subject.name,
    counts: counts.get(subject) ?? [],
    requests: total(subject.traffic.outcomes),
  }));
  return verdictOf({ seconds, subjects: seen, outcomes, complaints: [...new Set(complaints)], events });
}

interface Round {
  readonly subjects: readonly Subject[];
  readonly redis: RedisServer;
  readonly ms: number;
  readonly events: Record<'reloads' | 'flaps' | 'redisRestarts', number>;
}

async function round({ subjects, redis, ms, events }: Round): Promise<void> {
  const until = Date.now() + ms;
  let restarting: Promise<void> = Promise.resolve();
  const timers = [
    setInterval(() => (events.reloads++, subjects.forEach(({ reload }) => reload())), RELOAD_MS),
    // In the middle of a short round, too.
    setInterval(() => (events.flaps++, subjects.forEach(({ backend }) => backend.flap())), Math.min(FLAP_MS, ms / 2)),
    setInterval(
      () => {
        events.redisRestarts++;
        restarting = restart(redis);
      },
      Math.min(REDIS_MS, ms / 1.5),
    ),
  ];
  await Promise.all(subjects.map(({ traffic }) => traffic.run(until)));
  timers.forEach(clearInterval);
  await restarting;
}

async function restart(redis: RedisServer): Promise<void> {
  await redis.kill();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await redis.restart();
}
