/**
 * `npm run check`: runs every `check:*` script of package.json, also after one has failed, and ends with the list of those
 * that did. Exit code 1 on any failure.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const gates = Object.keys(scripts).filter((name) => name.startsWith('check:'));
const failed = gates.filter((gate) => {
  process.stdout.write(`\n${gate}\n`);
  return spawnSync('npm', ['run', '--silent', gate], { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0;
});
process.stdout.write(failed.length === 0 ? '\nAll checks passed.\n' : `\nFailed: ${failed.join(', ')}\n`);
// For machines: .ci/run adds these to its counts.
if (process.env.CHECK_COUNTS)
  writeFileSync(process.env.CHECK_COUNTS, `${gates.length - failed.length} ${failed.length}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
