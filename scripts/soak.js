/**
 * `npm run soak [-- SECONDS]`: mixed traffic through two Posterns for ten minutes (or the seconds given), with reloads, backends
 * that come and go and a Redis that is restarted. Says whether what is alive at rest grows, and writes docs/soak.md (not with
 * `--dry`); the exit code is 1 if something grew or a request failed. `--prove [WORD]`: puts one leak after the other into a
 * copy of the build (those whose name has the word), and fails if one is called flat, or the build without a leak is not.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LEAKS, NO_LEAK } from './soak-leaks.js';
import { openSandbox } from './mutate/sandbox.js';

const LEAST_SECONDS = 30;
const PROOF_SECONDS = 45;

const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.test.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(1);
const { runSoak } = await import('../.build/test/support/soak.js');

const args = process.argv.slice(2);
const seconds = Number(args.find((arg) => Number(arg) > 0) ?? (args.includes('--prove') ? PROOF_SECONDS : 600));
const say = (line) => process.stdout.write(`${line}\n`);
if (!(seconds >= LEAST_SECONDS)) {
  process.stderr.write(`Give at least ${LEAST_SECONDS} seconds: npm run soak -- 120\n`);
  process.exit(2);
}
process.exitCode = (await (args.includes('--prove') ? prove() : soak())) ? 0 : 1;

async function soak() {
  const { report, findings } = await runSoak({ seconds, say });
  say(report);
  if (!args.includes('--dry')) {
    writeFileSync('docs/soak.md', report);
    spawnSync('node_modules/.bin/prettier', ['--write', 'docs/soak.md']);
  }
  return findings.length === 0;
}

async function prove() {
  const wanted = args.find((arg) => !arg.startsWith('--') && Number.isNaN(Number(arg))) ?? '';
  const leaks = LEAKS.filter(({ name }) => name.includes(wanted));
  const outcomes = [];
  for (const { name, module, find, put, tells } of [NO_LEAK, ...leaks]) {
    const sandbox = openSandbox();
    try {
      const text = sandbox.read(module);
      if (text.split(find).length !== 2)
        throw new Error(`${module} is no longer as this leak was written for: ${name}`);
      sandbox.change(
        module,
        text.replace(find, () => put),
      );
      const started = Date.now();
      const entry = join(sandbox.folder, '.build/src/main.js');
      const { findings } = await runSoak({ seconds, say: () => undefined, entry });
      const isRight = tells === null ? findings.length === 0 : findings.some((finding) => tells.test(finding));
      outcomes.push(isRight);
      const took = Math.round((Date.now() - started) / 1000);
      say(`${isRight ? 'as it should be' : 'WRONG'}, ${took} s, ${name}:\n  ${findings.join('\n  ') || 'flat'}`);
    } finally {
      sandbox.close();
    }
  }
  say(`${outcomes.filter(Boolean).length} of ${outcomes.length} are judged as they should be.`);
  return !outcomes.includes(false);
}
