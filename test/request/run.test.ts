/** The engine: what each verdict does, in enforcement and in report mode, at once and late. */
import t from 'tap';
import { refusal } from '../../src/refusal.ts';
import type { Passage } from '../../src/request/passage.ts';
import {
  createRun,
  isExempt,
  judge,
  type Reportable,
  type Rung,
  type Verdict,
  type Wait,
} from '../../src/request/run.ts';
import { apiRules, factsOf, key, passageOf, rulesOf } from '../support/passages.ts';

const NO = refusal('ip_not_allowed', 'not from here');
type Result = Verdict | Wait | Promise<Verdict>;

/** A passage of an API or a key in report mode. */
function passageIn(report: 'api' | 'key' | null = null): Passage {
  const one = key('k', { mode: report === 'key' ? 'report' : 'enforce' });
  return Object.assign(passageOf(factsOf(), rulesOf([one])), {
    api: apiRules({ enforcement: report === 'api' ? 'report' : 'enforce' }),
    identity: { key: one, secret: one.secrets[0] },
  });
}

/** Runs rungs that answer as they are told, and logs what was asked and what came of it. */
function running(rungs: readonly (readonly [Reportable, (log: string[]) => Result])[], full: typeof NO | null = null) {
  const log: string[] = [];
  let over = false;
  const end = (what: string): void => void (over = log.push(what) > 0);
  const run = createRun(
    rungs.map(([reportable, check], i): Rung<Passage, string[]> => ({
      name: String(i),
      reportable,
      check: () => (log.push(`asked ${i}`), check(log)),
    })),
    log,
    {
      begin: () => full,
      isOver: () => over,
      refuse: (_passage, { code, why }) => over || end(`refused ${code === 'internal_error' ? why : code}`),
      answerOwn: () => end('own'),
    },
  );
  return { log, run, leave: () => (over = true) };
}
const passes = (): Result => 'passed';

t.test('rungs are asked in their order, and the first refusal, own answer or taker ends the way', async (t) => {
  for (const [result, end] of [
    [NO, ['refused ip_not_allowed']],
    ['own', ['own']],
    ['taken', []],
  ] as const) {
    const { log, run } = running([
      ['never', passes],
      ['key', () => result],
      ['never', passes],
    ]);
    run(passageIn());
    t.same(log, ['asked 0', 'asked 1', ...end]);
  }
});

t.test(
  'report mode notes the first refusal that it may note, asks nothing after it that it could note, and goes on',
  async (t) => {
    const refuses = (): Result => NO;
    for (const [mode, reportable, noted] of [
      ['api', 'api', true],
      ['api', 'key', true],
      ['key', 'key', true],
      ['key', 'api', false],
      ['api', 'never', false],
      [null, 'key', false],
    ] as const) {
      const { log, run } = running([
        [reportable, refuses],
        ['key', refuses],
        ['never', passes],
      ]);
      const passage = passageIn(mode);
      run(passage);
      t.same(log, noted ? ['asked 0', 'asked 2'] : ['asked 0', 'refused ip_not_allowed'], `${mode} ${reportable}`);
      t.equal(passage.wouldReject, noted ? NO : null);
    }
  },
);

t.test('an edit is made in enforcement; in report mode it is left out, and its objection noted', async (t) => {
  for (const [mode, made, objection] of [
    [null, true, NO],
    ['key', false, NO],
    ['key', false, null],
  ] as const) {
    let edited = false;
    const edit = { apply: () => void (edited = true), objection };
    const { log, run } = running([
      ['key', () => edit],
      ['never', passes],
    ]);
    const passage = passageIn(mode);
    run(passage);
    t.same([edited, log], [made, ['asked 0', 'asked 1']]);
    t.equal(passage.wouldReject, mode === null ? null : objection);
  }
});

t.test(
  'a rung that waits is asked again; what ends its wait ends the request, unless the API is in report mode',
  async (t) => {
    for (const mode of [null, 'key', 'api'] as const) {
      let resume: Parameters<Wait>[0] = () => t.fail('not begun');
      let waited = false;
      const waits = (): Result => (waited ? 'passed' : ((waited = true), (go) => void (resume = go)));
      const { log, run } = running([
        ['api', waits],
        ['never', passes],
      ]);
      run(passageIn(mode));
      t.same(log, ['asked 0']);
      resume(null);
      t.same(log, ['asked 0', 'asked 0', 'asked 1']);
      const stopped = running([
        ['key', () => (go) => go(refusal('body_too_large', ''))],
        ['never', passes],
      ]);
      const passage = passageIn(mode);
      stopped.run(passage);
      t.same(stopped.log, ['asked 0', mode === 'api' ? 'asked 1' : 'refused body_too_large']);
      t.equal(passage.wouldReject?.code, mode === 'api' ? 'body_too_large' : undefined);
    }
  },
);

t.test(
  'what Postern answers itself ends the way; of traffic in report mode the backend answers it, unjudged',
  async (t) => {
    const refuses = (): Result => NO;
    for (const [endpoint, end] of [
      [null, ['asked 0', 'asked 2']],
      ['token', ['asked 0', 'own']],
    ] as const) {
      const { log, run } = running([
        ['traffic', () => 'own'],
        ['api', refuses],
        ['never', passes],
      ]);
      const passage = Object.assign(passageIn('api'), { endpoint });
      run(passage);
      t.same(log, end);
      t.equal(passage.wouldReject, null);
      const refused = running([['traffic', refuses]]);
      refused.run(Object.assign(passageIn('api'), { endpoint }));
      t.same(refused.log, endpoint === null ? ['asked 0'] : ['asked 0', 'refused ip_not_allowed']);
    }
  },
);

t.test('the first refusal is the one that is noted', async (t) => {
  const passage = passageIn('api');
  t.equal(judge(passage, 'key', NO), 'goes on');
  t.equal(judge(passage, 'traffic', refusal('body_too_large', '')), 'goes on');
  t.equal(passage.wouldReject, NO);
});

t.test('nobody waits when too many are under way', async (t) => {
  const { log, run } = running([['never', () => () => t.fail('it waits')]], refusal('overloaded', 'full'));
  run(passageIn());
  t.same(log, ['asked 0', 'refused overloaded']);
});

t.test('a late verdict is judged as an early one, unless the request has ended meanwhile', async (t) => {
  const later = async (verdict: Verdict, mode: 'key' | null = null) => {
    const { log, run } = running([
      ['key', () => Promise.resolve(verdict)],
      ['never', passes],
    ]);
    const passage = passageIn(mode);
    run(passage);
    await new Promise(setImmediate);
    return [log.slice(1), passage.wouldReject];
  };
  t.same(await later('passed'), [['asked 1'], null]);
  t.same(await later('taken'), [[], null]);
  t.same(await later(NO), [['refused ip_not_allowed'], null]);
  t.same(await later(NO, 'key'), [['asked 1'], NO]);
  const { log, run, leave } = running([
    ['never', () => Promise.resolve<Verdict>('passed')],
    ['never', passes],
  ]);
  run(passageIn());
  leave();
  await new Promise(setImmediate);
  t.same(log, ['asked 0']);
});

t.test('a bug in a rung ends its request alone: at once, late, and after a wait', async (t) => {
  const bug = (): never => {
    throw new Error('a bug');
  };
  let waited = false;
  for (const check of [
    bug,
    () => Promise.reject<Verdict>(new Error('a bug')),
    (): Result => (waited ? bug() : ((waited = true), (go) => go(null))),
  ]) {
    const { log, run } = running([['never', check]]);
    run(passageIn());
    await new Promise(setImmediate);
    t.equal(log.at(-1), 'refused a step failed: a bug');
  }
});

t.test('before the API is known nothing can be noted', async (t) => {
  const passage = passageOf(factsOf(), rulesOf([]));
  t.equal(judge(passage, 'key', NO), 'ends');
  passage.wouldReject = NO;
  t.equal(isExempt(passage, 'key'), false);
});

t.test('a request that ended while it waited is not taken further', async (t) => {
  let resume: Parameters<Wait>[0] = () => t.fail('not begun');
  const { log, run, leave } = running([
    ['never', () => (go) => void (resume = go)],
    ['never', passes],
  ]);
  run(passageIn());
  leave();
  resume(null);
  t.same(log, ['asked 0']);
});

t.test('a body for which there is no room ends the request in any mode', async (t) => {
  for (const mode of [null, 'key', 'api'] as const) {
    const { log, run } = running([
      ['key', () => (go) => go(refusal('overloaded', ''))],
      ['never', passes],
    ]);
    const passage = passageIn(mode);
    run(passage);
    t.same([log, passage.wouldReject], [['asked 0', 'refused overloaded'], null]);
  }
});

t.test('at an endpoint of Postern what ends the wait for a body ends the request, also in report mode', async (t) => {
  const { log, run } = running([
    ['never', () => (go) => go(refusal('body_too_large', ''))],
    ['never', passes],
  ]);
  const passage = Object.assign(passageIn('api'), { endpoint: 'token' as const });
  run(passage);
  t.same(log, ['asked 0', 'refused body_too_large']);
  t.equal(passage.wouldReject, null);
});
