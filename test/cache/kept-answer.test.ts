import t from 'tap';
import { ageOf, freshFor, freshHit, isFromLater, keptAnswer, staleHit } from '../../src/cache/kept-answer.ts';
import { NOW } from '../support/metrics-keys.ts';
import { answerEntry } from './store-contract.ts';

const entry = answerEntry({ storedAt: NOW, freshMs: 60_000, initialAge: 7 });

t.test('an answer ages in whole seconds, from the age that it came with', async (t) => {
  t.same(
    [-5000, 0, 999, 1000, 60_500].map((ms) => ageOf(entry, NOW + ms)),
    [7, 7, 7, 8, 67],
  );
});

t.test('it is fresh for the shorter of what held then and holds now', async (t) => {
  t.same(
    [freshFor(entry, 90_000, NOW + 1), freshFor(entry, 30_000, NOW + 1), freshFor(entry, 30_000, NOW + 30_000)],
    [59_999, 29_999, 0],
  );
});

t.test('one from more than five seconds ahead is wrong', async (t) => {
  t.same([isFromLater(entry, NOW - 5000), isFromLater(entry, NOW - 5001)], [false, true]);
});

t.test('it is sent with its age and what was done', async (t) => {
  t.same(freshHit(1999), { result: 'hit', status: 'postern; hit; ttl=1' });
  t.same(staleHit(-1), { result: 'stale', status: 'postern; hit; ttl=-1; detail=stale-if-error' });
  t.same(staleHit(-2001).status, 'postern; hit; ttl=-3; detail=stale-if-error');
  t.same(staleHit(0).status, 'postern; hit; ttl=-1; detail=stale-if-error');
  const { headers, status, body } = keptAnswer(entry, NOW, freshHit(0));
  t.same(
    [status, body, headers.slice(-4)],
    [entry.status, entry.body, ['Age', '7', 'Cache-Status', 'postern; hit; ttl=0']],
  );
});
