/** Decides whether what was counted at rest has grown, and writes the report of a soak. Starts and measures nothing. */

export type Counts = Readonly<Record<string, number>>;

/**
 * What may be more after a round of traffic than before: caches and lists that fill, code that is compiled late. Whatever
 * leaks with each request grows by thousands, with each reload by half a dozen.
 */
const SLACK: Counts = {
  'heap (KB)': 2048,
  'memory outside the heap (KB)': 1024,
  functions: 300,
  arrays: 500,
  'elements of long arrays': 1500,
  'maps and sets': 40,
  'entries of maps and sets': 500,
  listeners: 30,
  emitters: 10,
};
/** Sockets, servers, timers, descriptors. */
const HANDLE_SLACK = 2;

export interface Growth {
  readonly what: string;
  readonly counts: readonly number[];
}

/**
 * What grew in every round by more than is allowed. `counts`: at rest after the warm-up and after each round. What only
 * settles does not grow twice.
 */
export function grown(counts: readonly Counts[]): readonly Growth[] {
  const names = new Set(counts.flatMap((each) => Object.keys(each)));
  return [...names]
    .map((what) => ({ what, counts: counts.map((each) => each[what] ?? 0) }))
    .filter(({ what, counts }) =>
      counts.slice(1).every((count, round) => count - (counts[round] as number) > (SLACK[what] ?? HANDLE_SLACK)),
    );
}

export interface Seen {
  readonly seconds: number;
  readonly subjects: readonly {
    readonly name: string;
    readonly counts: readonly Counts[];
    readonly requests: number;
  }[];
  readonly outcomes: ReadonlyMap<string, number>;
  readonly complaints: readonly string[];
  readonly events: Readonly<Record<'reloads' | 'flaps' | 'redisRestarts', number>>;
}

/** `findings`: why it is not flat; none: it is. */
export function verdictOf(seen: Seen): { readonly findings: readonly string[]; readonly report: string } {
  const growth = seen.subjects.flatMap(({ name, counts }) =>
    grown(counts).map(({ what, counts }) => `${name}: ${what} grew, ${counts.join(', ')}`),
  );
  const unexpected = [...seen.outcomes].filter(([what]) => what.startsWith('unexpected'));
  const findings = [...seen.complaints, ...growth, ...unexpected.map(([what, count]) => `${count} ${what}`)];
  return { findings, report: reportOf(seen, findings) };
}

function reportOf({ seconds, subjects, outcomes, events }: Seen, findings: readonly string[]): string {
  const requests = subjects.reduce((sum, { requests }) => sum + requests, 0);
  const verdict =
    findings.length === 0
      ? 'Flat: what was counted at rest did not grow, both processes lived, no pool stayed open after a reload, as many requests could be under way at the end as at the start, and no request failed but those that met a backend that was away.'
      : `Not flat:\n\n${findings.map((finding) => `- ${finding}`).join('\n')}`;
  return `# Soak

The result of the last \`npm run soak\` that was kept. Two Postern processes side by side: one with keys in a file and everything in
memory, one with keys, cache and rate limits in Redis. Nine kinds of requests (reads, writes, uploads, metric queries, refusals, clients
that reset their connection) by twenty clients each, nine of which keep one connection from the beginning to the end. The
configuration is reloaded every 3 s, the backend goes for 1 s every 20 s, Redis is killed and started again every 30 s.

After a warm-up and after each of two rounds the traffic stops and everything comes to rest. Then, after several forced collections,
what is alive in the process is counted. What grew in both rounds by more than a small allowance is a leak
(\`test/support/soak-verdict.ts\`). At rest no pool of an earlier configuration may have a connection, no request may be counted in
flight; at the end, exactly as many requests as one of two APIs may have (three quarters of \`maxRequestsInFlight\`) must find room.

${verdict}

${seconds} s with Node ${process.version}: ${requests} requests, ${events.reloads} reloads, ${events.flaps} flaps of the backends, ${events.redisRestarts} restarts of Redis.

| outcome | requests |
| --- | --- |
${[...outcomes].map(([what, count]) => `| ${what} | ${count} |`).join('\n')}

${subjects.map(tableOf).join('\n')}
\`npm run soak -- --prove\` puts one leak after the other into a copy of the build, and fails if a soak calls one of them flat.
`;
}

function tableOf({ name, counts }: Seen['subjects'][number]): string {
  const names = [...new Set(counts.flatMap((each) => Object.keys(each)))];
  const rows = names.map((what) => `| ${what} | ${counts.map((each) => each[what] ?? 0).join(' | ')} |`);
  return `At rest, ${name}:

| | after the warm-up | after one round | after two |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
