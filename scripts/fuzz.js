/**
 * `npm run fuzz [-- CASES [SEED]]`: holds the event filter, the path rules and the reader of answers against very many generated
 * cases, and what a running Postern passes on against parsers of several languages. The exit code is 1 at the first case that is judged wrongly.
 * At the end it tells for how long the costliest requests hold the event loop of a running Postern.
 */
import { spawnSync } from 'node:child_process';

const [cases = 200_000, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number);
const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.test.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(1);
const { runEventFuzz } = await import('../.build/test/support/event-fuzz.js');
const { runPathFuzz } = await import('../.build/test/support/path-fuzz.js');
const { runAnswerFuzz } = await import('../.build/test/support/answer-fuzz.js');
const { foreignParsers } = await import('../.build/test/support/foreign-parsers.js');
const { runEndToEndFuzz } = await import('../.build/test/support/end-to-end-fuzz.js');
const { measureHolds } = await import('../.build/test/support/hold-corpus.js');

/** Milliseconds that nothing a request brings may hold the event loop. */
const MOST_HELD = 50;
const disposers = [];
const owner = { teardown: (dispose) => disposers.unshift(dispose) };
const counts = (map) => [...map].map(([what, count]) => `${count} ${what}`).join(', ');
const say = (what) => process.stdout.write(`${what}\n`);

say(`seed ${seed}`);
say(`${cases} bodies by the event filter: ${counts(runEventFuzz({ cases, seed }))}`);
const paths = runPathFuzz({ cases: Math.ceil(cases / 10), seed });
say(`${paths.cases} paths: ${paths.admitted} admitted, ${paths.matched} found a route`);
const read = await runAnswerFuzz({ cases, seed });
say(
  `${read.cases} answers of backends: ${read.refused} refused, ${read.unfinished} not whole, ${read.alike} read as Node reads them, ${read.reusable} of these on a connection to use again`,
);
try {
  const { sent, received, answers, parsers } = await runEndToEndFuzz(owner, {
    cases: Math.ceil(cases / 10),
    seed,
    foreign: foreignParsers(),
  });
  say(`${sent} bodies through Postern: ${received} reached the backend (answers: ${counts(answers)})`);
  say(`read by ${parsers.join(', ')}: no event that the key may not send`);
  const holds = (await measureHolds(owner)).toSorted((a, b) => b.worst - a.worst);
  const shown = ({ name, worst, harmless }) =>
    `${worst.toFixed(1)} ms (harmless bytes ${harmless.toFixed(1)} ms): ${name}`;
  say(`${holds.length} costly requests; those that hold the event loop the longest:`);
  for (const hold of holds.slice(0, 10)) say(`  ${shown(hold)}`);
  const tooLong = holds.filter(({ worst }) => worst > MOST_HELD);
  if (tooLong.length > 0) {
    say(`${tooLong.length} hold it for more than ${MOST_HELD} ms`);
    process.exitCode = 1;
  }
} finally {
  for (const dispose of disposers) await dispose();
}
