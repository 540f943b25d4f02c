import t from 'tap';
import { failureIn, restAfter, type Phase } from '../../../src/upstream/wire/phase.ts';

void t.test('the end of a connection means what its time makes of it', async (t) => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  for (const [phase, silent, broken] of [
    ['connecting', 'reset', 'connect'],
    ['about to send', 'reset', 'connect'],
    ['sent', 'reset', 'reset'],
    ['answering', 'truncated', 'truncated'],
  ] as const satisfies readonly (readonly [Phase, string, string])[]) {
    t.equal(failureIn(phase, null).kind, silent, phase);
    t.equal(failureIn(phase, reset).kind, broken, phase);
  }
});

void t.test('a connection rests as long as both sides allow, less the time for the way', async (t) => {
  t.equal(restAfter(-1, 4_000), 4_000);
  t.equal(restAfter(60_000, 4_000), 4_000);
  t.equal(restAfter(3_000, 4_000), 2_000);
  t.ok(restAfter(1_000, 4_000) <= 0);
  t.ok(restAfter(0, 4_000) <= 0);
});
