/**
 * The plain cells in which one key's requests, refusals, events, tokens and secrets are counted. A cell is made when it first
 * counts something. Knows no other key.
 */
import type { Key, Mode } from '../keys/key.ts';
import type { RefusalReason } from '../refusal.ts';
import type { Sample } from './metric-definitions.ts';
import { rejectionIn, type ApiLabel, type Outcome } from './outcome.ts';

/** The cells of one key; of callers without one under the id "". */
export interface KeyCells {
  readonly id: string;
  /** The version of the latest keys that it was known to be among. */
  seenIn: number;
  /** Of the APIs that it was counted in. */
  readonly byApi: Map<ApiLabel, ApiCells>;
  readonly forwarded: Sample;
  readonly removed: Sample;
  readonly rejected: Sample;
  readonly issuesTokens: boolean;
  readonly tokens: Sample;
  readonly secrets: Map<string, Sample>;
}

interface ApiCells {
  readonly requests: Map<number, Sample>;
  readonly rejections: Readonly<Record<Mode, Map<RefusalReason, Sample>>>;
}

export function createKeyCells(id: string, issuesTokens: boolean): KeyCells {
  const events = (outcome: string): Sample => ({ labels: { key: id, outcome }, value: 0 });
  return {
    id,
    seenIn: -1,
    byApi: new Map(),
    forwarded: events('forwarded'),
    removed: events('removed'),
    rejected: events('rejected'),
    issuesTokens,
    tokens: { labels: { key: id }, value: 0 },
    secrets: new Map(),
  };
}

export const beginKey = (key: Key): KeyCells => createKeyCells(key.id, key.type === 'metrics');

/**
 * The cells of a key in one API. The two reasons that an alert waits for begin at 0: a series that appears with its first
 * refusal shows no increase to Prometheus.
 */
export function cellsIn(cells: KeyCells, api: ApiLabel): ApiCells {
  const known = cells.byApi.get(api);
  if (known !== undefined) return known;
  const made: ApiCells = { requests: new Map(), rejections: { enforce: new Map(), report: new Map() } };
  cells.byApi.set(api, made);
  if (cells.id !== '' && api !== '')
    for (const mode of ['enforce', 'report'] as const)
      for (const reason of ['disabled', 'expired'] as const) rejectionCell(cells, mode, api, reason);
  return made;
}

function rejectionCell(cells: KeyCells, mode: Mode, api: ApiLabel, reason: RefusalReason): Sample {
  const byReason = cellsIn(cells, api).rejections[mode];
  let cell = byReason.get(reason);
  if (cell === undefined) {
    cell = { labels: { api, key: cells.id, reason, mode }, value: 0 };
    byReason.set(reason, cell);
  }
  return cell;
}

/** A backend may answer with any three digits: those outside HTTP's classes share one series. */
function requestCell(cells: KeyCells, api: ApiLabel, sent: number): Sample {
  const status = sent >= 100 && sent <= 599 ? sent : 0;
  const byStatus = cellsIn(cells, api).requests;
  let cell = byStatus.get(status);
  if (cell === undefined) {
    cell = { labels: { api, key: cells.id, status: status === 0 ? 'other' : status }, value: 0 };
    byStatus.set(status, cell);
  }
  return cell;
}

/** Counts one finished request of the key. */
export function countForKey(cells: KeyCells, outcome: Outcome): void {
  requestCell(cells, outcome.api, outcome.status).value++;
  const rejected = rejectionIn(outcome);
  if (rejected !== null)
    rejectionCell(cells, rejected === outcome.refusal ? 'enforce' : 'report', outcome.api, rejected.reason).value++;
  countEvents(cells, outcome);
  if (outcome.tokenIssued) cells.tokens.value++;
  if (outcome.secretId !== '' && cells.id !== '') {
    const used = cells.secrets.get(outcome.secretId);
    if (used === undefined)
      cells.secrets.set(outcome.secretId, {
        labels: { key: cells.id, secret: outcome.secretId },
        value: outcome.now / 1000,
      });
    else used.value = outcome.now / 1000;
  }
}

/** In report mode all were passed on: what would have become of them is in the rejections of that mode. */
function countEvents(cells: KeyCells, { wouldReject, forwardedEvents, removedEvents, rejectedEvents }: Outcome): void {
  if (wouldReject !== null) {
    cells.forwarded.value += forwardedEvents + removedEvents + rejectedEvents;
    return;
  }
  cells.forwarded.value += forwardedEvents;
  cells.removed.value += removedEvents;
  cells.rejected.value += rejectedEvents;
}
