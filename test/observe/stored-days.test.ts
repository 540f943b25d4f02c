import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { DayCounts } from '../../src/observe/day-counts.ts';
import { dayOf, packed, type ObservedDay } from '../../src/observe/observations.ts';
import { HEAD, lineOf, readDays, TAIL } from '../../src/observe/stored-days.ts';
import { seenAt, WEB } from '../support/observed.ts';

const NOON = Date.UTC(2030, 0, 1, 12);
const TODAY = dayOf(NOON);

function countsOf(...events: readonly string[]): DayCounts {
  const counts = new DayCounts(() => true);
  counts.count(seenAt(NOON));
  for (const event of events) counts.count(seenAt(NOON, { event }));
  return counts;
}

const written = (...days: readonly ObservedDay[]): string => `${HEAD}\n${days.map(lineOf).join(',\n')}\n${TAIL}\n`;

t.test('days are read as they were written, however many pieces the file is read in', (t) => {
  const path = join(t.testdir(), 'observed.json');
  const name = fc.string({ unit: 'binary', maxLength: 200 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.array(name, { maxLength: 3 }), { maxLength: 4 }), fc.nat(300_000), (callers, padding) => {
        const days = callers.map((events, i) => ({
          subject: { kind: 'key', name: i === 0 ? `k${'x'.repeat(padding)}` : `k${i}` } as const,
          day: TODAY - i,
          kept: countsOf(...events),
        }));
        writeFileSync(path, written(...days));
        const read = readDays(path) ?? [];
        const texts = days.map(({ subject, day, kept }) => JSON.stringify([subject, day, packed(kept).toString()]));
        return (
          read.length === days.length &&
          read.every(({ subject, day, text }, i) => JSON.stringify([subject, day, text.toString()]) === texts[i])
        );
      }),
      { numRuns: 60 },
    ),
  );
  t.end();
});

t.test('what is text already is written as it is', (t) => {
  const kept = packed(countsOf('a'));
  t.equal(lineOf({ subject: WEB, day: TODAY, kept }), lineOf({ subject: WEB, day: TODAY, kept: countsOf('a') }));
  t.end();
});

t.test('a file that was cut short anywhere, or that goes on, is none', (t) => {
  const path = join(t.testdir(), 'observed.json');
  const whole = written(
    { subject: WEB, day: TODAY, kept: countsOf('a') },
    { subject: WEB, day: TODAY - 1, kept: countsOf('b') },
  );
  const readsAs = (text: string): number | null => {
    writeFileSync(path, text);
    return readDays(path)?.length ?? null;
  };
  for (let length = 0; length < whole.length - 1; length++)
    if (readsAs(whole.slice(0, length)) !== null) t.fail(`cut at ${length}`);
  t.equal(readsAs(whole), 2);
  t.equal(readsAs(whole.trimEnd()), 2, 'without the last line end');
  t.equal(readsAs(`${whole}\n\n`), 2, 'with more of them');
  t.equal(readsAs(whole + whole), null);
  t.equal(readsAs(JSON.stringify(JSON.parse(whole))), 2, 'in another layout');
  t.equal(readsAs(JSON.stringify(JSON.parse(whole), null, 2)), 2);
  t.equal(readsAs(whole.replace('"web"', '7')), null, 'one line that is no day');
  t.equal(readFileSync(path, 'utf8'), whole.replace('"web"', '7'), 'nothing is written');
  t.end();
});

t.test('a file that is not there, or is none, is told by the file system', (t) => {
  const folder = t.testdir();
  t.throws(() => readDays(join(folder, 'none.json')), { code: 'ENOENT' });
  t.throws(() => readDays(folder), { code: 'EISDIR' });
  t.end();
});

t.test('a file is read in a heap that could not hold all of it', async (t) => {
  const path = join(t.testdir(), 'observed.json');
  const kept = new DayCounts(() => true);
  for (let i = 0; i < 256; i++)
    kept.count(seenAt(NOON, { address: `192.0.2.${i}`, route: `a unlisted GET /${i}`, event: `event ${i}` }));
  const days = Array.from({ length: 120 }, (_, i): ObservedDay => ({ subject: WEB, day: TODAY - i, kept }));
  writeFileSync(path, written(...days));
  const module = new URL('../../src/observe/stored-days.js', import.meta.url).href;
  const worker = new Worker(
    `import(${JSON.stringify(module)}).then(({ readDays }) =>
      require('node:worker_threads').parentPort.postMessage(readDays(${JSON.stringify(path)}).length))`,
    { eval: true, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 20, maxYoungGenerationSizeMb: 8 } },
  );
  t.same(await once(worker, 'message'), [120]);
  await worker.terminate();
});
