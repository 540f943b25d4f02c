/** The requests of the admin API that the pages make. */
import { ask, askAgain, type Answer } from './client.ts';
import type {
  AddressList,
  AddressListReplacement,
  AddressLists,
  ApiList,
  ChangeList,
  Configuration,
  CreatedKey,
  CreatedSecret,
  Explanation,
  KeyDefinition,
  KeyList,
  KeyReplacement,
  NewKey,
  Policy,
  PolicyList,
  PolicyReplacement,
  Observed,
  ObservedApi,
  Question,
  RejectionList,
  Session,
  Status,
  Suggestion,
  Summary,
  WhatIf,
} from './types.ts';

const at = (id: string): string => `keys/${encodeURIComponent(id)}`;

export const signIn = (token: string): Promise<Answer<void>> => ask('session', { method: 'POST', body: { token } });
export const readSession = (): Promise<Answer<Session>> => ask('session');
export const signOut = (): Promise<Answer<void>> => ask('session', { method: 'DELETE' });

/** Without the states of keys: there may be ten thousand. */
export const readStatus = (): Promise<Answer<Status>> => ask('status?key=');
export const readStatesOfKeys = (): Promise<Answer<Status>> => askAgain('status');
export const readStateOfKey = (id: string): Promise<Answer<Status>> => ask(`status?key=${encodeURIComponent(id)}`);
export const readSummary = (minutes = 60): Promise<Answer<Summary>> => askAgain(`summary?minutes=${minutes}`);
export const readRejections = (query: Readonly<Record<string, string>> = {}): Promise<Answer<RejectionList>> =>
  ask(`rejections?${new URLSearchParams(query).toString()}`);
/** The latest of one key, at most `limit`. */
export const readRejectionsOf = (id: string, limit: number): Promise<Answer<RejectionList>> =>
  askAgain(`rejections?key=${encodeURIComponent(id)}&limit=${limit}`);
export const purgeCache = (): Promise<Answer<void>> => ask('cache/purge', { method: 'POST' });
export const explain = (question: Question): Promise<Answer<Explanation>> =>
  ask('explain', { method: 'POST', body: question });

export const readHistory = (): Promise<Answer<ChangeList>> => ask('history');
export const readConfiguration = (): Promise<Answer<Configuration>> => ask('config');
export const readObservedApi = (name: string): Promise<Answer<ObservedApi>> =>
  ask(`apis/${encodeURIComponent(name)}/observed?callers=all`);
export const readObserved = (id: string): Promise<Answer<Observed>> => askAgain(`${at(id)}/observed`);
export const readSuggestion = (id: string): Promise<Answer<Suggestion>> => ask(`${at(id)}/suggestion`);
export const askWhatIf = (id: string, body: KeyReplacement): Promise<Answer<WhatIf>> =>
  ask(`${at(id)}/what-if`, { method: 'POST', body });

export const listKeys = (): Promise<Answer<KeyList>> => askAgain('keys');
export const readKey = (id: string): Promise<Answer<KeyDefinition>> => ask(at(id));

/** What is stored; while that cannot be read, what is in force. */
export interface InForce<T> {
  readonly value: T;
  /** Why it is not what is stored, so that it cannot be changed; null: it is. */
  readonly why: string | null;
}

async function orInForce<T>(path: string): Promise<Answer<InForce<T>>> {
  const stored = await askAgain<T>(path);
  const unreadable = !stored.ok && stored.failure.code === 'source_unavailable';
  const answer = unreadable ? await askAgain<T>(`${path}?of=inForce`) : stored;
  if (!answer.ok) return answer;
  const why = stored.ok ? null : stored.failure.detail;
  return { ok: true, value: inForce(answer.value, why), etag: why === null ? answer.etag : `${why} ${answer.etag}` };
}

/** The same for the same, so that nothing is drawn anew. */
const shownBefore = new WeakMap<object, InForce<unknown>>();

function inForce<T>(value: T, why: string | null): InForce<T> {
  const before = shownBefore.get(value as object);
  if (before?.why === why) return before as InForce<T>;
  const now = { value, why };
  shownBefore.set(value as object, now);
  return now;
}

export const listKeysShown = (): Promise<Answer<InForce<KeyList>>> => orInForce('keys');
export const readKeyShown = (id: string): Promise<Answer<InForce<KeyDefinition>>> => orInForce(at(id));

/** `name`: the same for the same key, so that it is made once. */
export const createKey = (key: NewKey, name: string): Promise<Answer<CreatedKey>> =>
  ask('keys', { method: 'POST', body: key, idempotencyKey: name });
export const replaceKey = (id: string, body: KeyReplacement, ifMatch: string): Promise<Answer<KeyDefinition>> =>
  ask(at(id), { method: 'PUT', body, ifMatch });
export const deleteKey = (id: string, ifMatch: string): Promise<Answer<void>> =>
  ask(at(id), { method: 'DELETE', ifMatch });
/** `name`: the same for the same secret, so that it is made once. */
export const addSecret = (id: string, overlapSeconds: number, name: string): Promise<Answer<CreatedSecret>> =>
  ask(`${at(id)}/secrets`, { method: 'POST', body: { overlapSeconds }, idempotencyKey: name });

/** What nobody else calls anything: `crypto.randomUUID` is there on https and loopback alone. */
export const randomName = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
export const deleteSecret = (id: string, secretId: string): Promise<Answer<void>> =>
  ask(`${at(id)}/secrets/${secretId}`, { method: 'DELETE' });

/** What is changed is changed only if it is still as this tag says; null: it is new. */
const conditionOf = (etag: string | null) => (etag === null ? { creates: true } : { ifMatch: etag });

export const listApis = (): Promise<Answer<ApiList>> => ask('apis');

const policyAt = (name: string): string => `policies/${encodeURIComponent(name)}`;
export const listPolicies = (): Promise<Answer<PolicyList>> => ask('policies');
export const readPolicy = (name: string): Promise<Answer<Policy>> => ask(policyAt(name));
export const putPolicy = (name: string, body: PolicyReplacement, etag: string | null): Promise<Answer<Policy>> =>
  ask(policyAt(name), { method: 'PUT', body, ...conditionOf(etag) });
export const deletePolicy = (name: string, ifMatch: string): Promise<Answer<void>> =>
  ask(policyAt(name), { method: 'DELETE', ifMatch });

const listAt = (name: string): string => `lists/${encodeURIComponent(name)}`;
export const listAddressLists = (): Promise<Answer<AddressLists>> => ask('lists');
export const readAddressList = (name: string): Promise<Answer<AddressList>> => ask(listAt(name));
export const putAddressList = (
  name: string,
  body: AddressListReplacement,
  etag: string | null,
): Promise<Answer<AddressList>> => ask(listAt(name), { method: 'PUT', body, ...conditionOf(etag) });
export const deleteAddressList = (name: string, ifMatch: string): Promise<Answer<void>> =>
  ask(listAt(name), { method: 'DELETE', ifMatch });
