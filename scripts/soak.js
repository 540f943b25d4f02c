/**
 * `npm run soak [-- SECONDS]`: mixed traffic through one Postern for ten minutes (or the seconds given), with reloads, a backend
 * that comes and goes and, where redis-server is installed, a Redis that is restarted. Samples memory, descriptors and sockets,
 * and says whether they are flat. Writes docs/soak.md; the exit code is 1 if something grew or a request failed.
 */
import { spawnSync } from 'node:child_process';

const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.test.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(1);
const { runSoak } = await import('../.build/test/support/soak.js');
const { writeFileSync } = await import('node:fs');

const seconds = Number(process.argv[2] ?? 600);
if (!(seconds >= 30)) {
  process.stderr.write('Give at least 30 seconds: npm run soak -- 120\n');
  process.exit(2);
}
const { report, flat } = await runSoak({ seconds, say: (line) => process.stdout.write(`${line}\n`) });
writeFileSync('docs/soak.md', report);
spawnSync('node_modules/.bin/prettier', ['--write', 'docs/soak.md']);
process.stdout.write(`${report}\n`);
process.exitCode = flat ? 0 : 1;
