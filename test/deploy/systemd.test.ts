/** The unit for systemd: systemd reads it, and leaves it nothing that it does not need. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requireTool } from '../support/tools.ts';

const UNIT = 'deploy/systemd/postern.service';
/** Of 10; systemd calls everything below 2.0 well protected. What is left is the network, and a compiler at run time. */
const MOST_EXPOSED = 15;

t.test('systemd has nothing to say against it', async (t) => {
  const file = join(t.testdir(), 'postern.service');
  copyFileSync(UNIT, file);
  const analyze = requireTool('systemd-analyze', 'systemd');
  const said = execFileSync(analyze, ['verify', '--man=no', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.equal(said, '');
  const exposure = ['security', '--offline=true', `--threshold=${MOST_EXPOSED}`, '--no-pager', file];
  t.doesNotThrow(() => execFileSync(analyze, exposure, { stdio: 'ignore' }));
});

t.test('a wrong configuration is not tried again and again', async (t) => {
  const unit = readFileSync(UNIT, 'utf8');
  t.match(unit, /^Restart=on-failure$/m);
  t.match(unit, /^RestartPreventExitStatus=1 2$/m);
  t.notMatch(unit, /^ExecStartPre=/m, 'which the line above does not hold for');
});
