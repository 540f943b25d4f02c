/**
 * The history of changes over the admin API: the latest, newest first, of one key or of one admin. Changes nothing.
 */
import { z } from 'zod';
import type { History } from './history/history.ts';
import { MAX_TEXT } from './bounds.ts';
import { readInput, type Answer, type Call, type Operation } from './operation.ts';
import { wholeInQuery } from './query-values.ts';

const once = z.string({ error: 'must be given once' }).max(MAX_TEXT);

export const HistoryQuery = z.strictObject({
  limit: wholeInQuery(1, 999_999).optional().describe('Most changes to list. The latest 1,000 are kept.'),
  key: once.optional().describe('Only changes of the key with this id.'),
  who: once.optional().describe('Only changes by this admin; `file` or `redis`: only those that were not made here.'),
});

export function historyOperation(history: Pick<History, 'read'>): Operation {
  const list = async ({ query }: Call): Promise<Answer> => {
    const read = readInput(HistoryQuery, query);
    if (!read.ok) return read.problem;
    const { limit, key, who } = read.value;
    const { changes, why } = await history.read();
    const wanted = changes.filter(
      (change) =>
        (key === undefined || (change.kind === 'key' && change.target === key)) &&
        (who === undefined || change.who === who),
    );
    return { status: 200, body: { changes: wanted.slice(0, limit === undefined ? undefined : Number(limit)), why } };
  };
  return {
    method: 'GET',
    path: '/api/history',
    operationId: 'listChanges',
    access: 'viewer',
    query: HistoryQuery,
    summary: 'The latest changes of keys, policies and address lists, newest first.',
    success: { status: 200, schema: 'ChangeList' },
    problems: ['invalid_request'],
    handle: list,
  };
}
