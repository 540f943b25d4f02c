/** What the overview takes refusals for. */
import t from 'tap';
import { findingsIn } from '../../src/admin/console/overview/verdict.ts';
import { summaryOf, type Came } from '../support/summaries.ts';

const named = (reason: string) => `<${reason}>`;
const found = (now: number, came: readonly Came[]) => findingsIn(summaryOf(now, came), named);
const kinds = (now: number, came: readonly Came[]) => found(now, came).map(({ kind, filter }) => [kind, filter]);

const unknown = (at: number, times: number, clientIp: string): Came => ({
  at,
  times,
  clientIp,
  keyId: '',
  reason: 'unknown',
});

void t.test('many unknown credentials from one address, quickly, are an attack', async (t) => {
  const [finding] = found(3, [unknown(1, 40, '198.51.100.66'), unknown(2, 20, '198.51.100.66')]);
  t.match(finding, {
    kind: 'attack',
    filter: { address: '198.51.100.66' },
    title: '198.51.100.66 tries out credentials',
  });
  t.equal(finding?.why, 'One address, 60 refusals, most of them <unknown>, about 60 a minute, and no key of yours.');
});

void t.test('slowly, they are a client with an old secret', async (t) => {
  const slow = Array.from({ length: 12 }, (_, at) => unknown(at, 1, '198.51.100.66'));
  t.same(kinds(12, slow), [['client', { address: '198.51.100.66' }]]);
  t.same(kinds(12, slow.slice(0, 5)), [], 'a few are nothing');
});

void t.test('from very many addresses they are an attack too', async (t) => {
  const came = Array.from({ length: 60 }, (_, n) => unknown(1, 1, `198.51.100.${n}`));
  t.same(kinds(2, came), [['attack', { reason: 'unknown' }]]);
});

void t.test('whoever looks for paths is seen', async (t) => {
  const came = [{ at: 1, times: 30, keyId: '', reason: 'no_route', clientIp: '198.51.100.66' }];
  t.same(kinds(2, came), [['attack', { address: '198.51.100.66' }]]);
});

void t.test(
  'one key with one reason is a client that is set up wrongly, with what share of its requests',
  async (t) => {
    const steady = Array.from({ length: 6 }, (_, at): Came => ({
      at,
      times: 2,
      keyId: 'backend',
      reason: 'ip_not_allowed',
    }));
    const [finding] = found(6, [...steady, { at: 3, times: 8, keyId: 'backend', passed: true }]);
    t.match(finding, { kind: 'client', filter: { key: 'backend' } });
    t.equal(
      finding?.why,
      'One key, one reason, steadily: 12 of its 20 requests were refused, most of them <ip_not_allowed>, about 2 a minute. It calls from an address that the key does not allow.',
    );
    const bursts = [0, 9].map((at): Came => ({ at, times: 6, keyId: 'backend', reason: 'ip_not_allowed' }));
    t.match(found(10, bursts)[0]?.why, /^One key, one reason, not steadily:/);
  },
);

void t.test('one key with several reasons may be in the wrong hands', async (t) => {
  const reasons = ['ip_not_allowed', 'route_not_allowed', 'method_not_allowed'];
  const came = reasons.map((reason): Came => ({ at: 1, times: 4, keyId: 'backend', reason }));
  t.same(kinds(2, came), [['attack', { key: 'backend' }]]);
  t.equal(
    found(2, came)[0]?.why,
    '12 of its 12 requests were refused, about 12 a minute, and no reason has more than half of them: somebody may try out what a key can do.',
  );
  const works: Came = { at: 1, times: 100, keyId: 'backend', passed: true };
  t.same(kinds(2, [...came, works]), [['client', { key: 'backend' }]], 'most of what it does passes');
  t.same(
    kinds(
      30,
      came.map((one, n) => ({ ...one, at: 12 * n })),
    ),
    [['client', { key: 'backend' }]],
    'slowly',
  );
  t.same(
    kinds(
      2,
      came.map((one) => ({ ...one, times: 2 })),
    ),
    [['client', { key: 'backend' }]],
    'a few',
  );
});

void t.test('both at once are told apart, the graver one first; report mode is no finding', async (t) => {
  const came: Came[] = [
    { at: 1, times: 30, keyId: 'backend', reason: 'ip_not_allowed', clientIp: '192.0.2.44' },
    { at: 1, times: 30, keyId: 'trial', reason: 'ip_not_allowed', mode: 'report' },
    unknown(1, 12, '198.51.100.66'),
  ];
  t.same(kinds(2, came), [
    ['attack', { address: '198.51.100.66' }],
    ['client', { key: 'backend' }],
  ]);
});
