import t from 'tap';
import { entityTag } from '../../src/admin/definition-view.ts';
import type { Call } from '../../src/admin/operation.ts';
import { problem } from '../../src/admin/problem.ts';
import { ifMatchProblem, inUseProblem, putProblem } from '../../src/admin/record-conditions.ts';
import { showUsers } from '../../src/admin/record-view.ts';

const missing = problem('not_found', 'There is no such policy.');
const wording = { missing, word: 'policy' };
const stored = { id: 'a', definition: { mode: 'report' } };
const tag = entityTag(stored);

interface Sent {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}
const call = (method: string, { ifMatch, ifNoneMatch }: Sent): Call => ({ method, ifMatch, ifNoneMatch }) as Call;
const putting = (sent: Sent, there: boolean) => putProblem(call('PUT', sent), there ? stored : null, wording);
const deleting = (sent: Sent, there: boolean) => ifMatchProblem(call('DELETE', sent), there ? stored : null, wording);

t.test('what is replaced has to be what the caller saw, and what is new has to be meant to be new', async (t) => {
  const outcomes: readonly [sent: Sent, where: string, absent: string][] = [
    [{}, 'precondition_required', 'precondition_required'],
    [{ ifMatch: tag }, 'passes', 'not_found'],
    [{ ifMatch: '*' }, 'passes', 'not_found'],
    [{ ifMatch: '"other"' }, 'precondition_failed', 'not_found'],
    [{ ifNoneMatch: '*' }, 'precondition_failed', 'passes'],
    [{ ifNoneMatch: ' * ' }, 'precondition_failed', 'passes'],
    [{ ifNoneMatch: tag }, 'precondition_failed', 'precondition_failed'],
    [{ ifMatch: tag, ifNoneMatch: '*' }, 'passes', 'not_found'],
    [{ ifMatch: '"other"', ifNoneMatch: '*' }, 'precondition_failed', 'not_found'],
  ];
  for (const [sent, there, absent] of outcomes)
    t.same(
      [putting(sent, true)?.code ?? 'passes', putting(sent, false)?.code ?? 'passes'],
      [there, absent],
      JSON.stringify(sent),
    );
});

t.test('what is removed has to be what the caller saw', async (t) => {
  t.equal(deleting({}, true)?.code, 'precondition_required');
  t.equal(deleting({}, false), missing, 'what is not there needs no condition');
  t.equal(deleting({ ifMatch: '*' }, false), missing);
  t.equal(deleting({ ifMatch: tag }, true), null);
  t.equal(deleting({ ifMatch: '"other"' }, true)?.code, 'precondition_failed');
});

t.test('each refusal says what to send in its place', async (t) => {
  t.equal(putting({ ifNoneMatch: '*' }, true)?.detail, 'This policy is there already.');
  t.equal(putting({ ifNoneMatch: ' * ' }, true)?.detail, 'This policy is there already.');
  t.equal(putting({ ifNoneMatch: tag }, true)?.detail, 'If-None-Match can only be `*` here: it creates.');
  t.match(putting({}, false)?.detail, /in If-Match, .*, or `If-None-Match: \*` to create it\.$/);
  t.match(deleting({}, true)?.detail, /ETag of the policy in If-Match, so that no change of another is lost\.$/);
});

t.test('what has users stays, and the refusal names ten of them: fields, then policies, then keys', async (t) => {
  const names = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => letter + i);
  const detailFor = (keys: number, policies: number, fields: number) =>
    inUseProblem(
      'address list',
      showUsers({ keys: names('k', keys), policies: names('p', policies) }, names('f', fields)),
    )?.detail;
  t.equal(inUseProblem('policy', showUsers({ keys: [], policies: [] }, [])), null);
  t.equal(inUseProblem('policy', showUsers({ keys: ['a'], policies: [] }, []))?.code, 'in_use');
  t.equal(detailFor(1, 1, 1), 'The address list is in use: f0, the policy p0, the key k0.');
  t.match(detailFor(6, 2, 2), /^The address list is in use: f0, f1, .*, the key k5\.$/);
  t.match(detailFor(7, 2, 2), /, the key k5 and 1 more\.$/);
  t.match(detailFor(2000, 0, 0), /, the key k9 and 1990 more\.$/);
});
