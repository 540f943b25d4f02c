/** The requests of the admin API that the pages make. */
import { ask, type Answer } from './client.ts';
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

export const readStatus = (): Promise<Answer<Status>> => ask('status');
export const readSummary = (): Promise<Answer<Summary>> => ask('summary');
export const readRejections = (): Promise<Answer<RejectionList>> => ask('rejections');
export const purgeCache = (): Promise<Answer<void>> => ask('cache/purge', { method: 'POST' });
export const explain = (question: Question): Promise<Answer<Explanation>> =>
  ask('explain', { method: 'POST', body: question });

export const readHistory = (): Promise<Answer<ChangeList>> => ask('history');
export const readConfiguration = (): Promise<Answer<Configuration>> => ask('config');
export const readObservedApi = (name: string): Promise<Answer<ObservedApi>> =>
  ask(`apis/${encodeURIComponent(name)}/observed?callers=all`);
export const readSuggestion = (id: string): Promise<Answer<Suggestion>> => ask(`${at(id)}/suggestion`);
export const askWhatIf = (id: string, body: KeyReplacement): Promise<Answer<WhatIf>> =>
  ask(`${at(id)}/what-if`, { method: 'POST', body });

export const listKeys = (): Promise<Answer<KeyList>> => ask('keys');
export const readKey = (id: string): Promise<Answer<KeyDefinition>> => ask(at(id));
export const createKey = (key: NewKey): Promise<Answer<CreatedKey>> => ask('keys', { method: 'POST', body: key });
export const replaceKey = (id: string, body: KeyReplacement, ifMatch: string): Promise<Answer<KeyDefinition>> =>
  ask(at(id), { method: 'PUT', body, ifMatch });
export const deleteKey = (id: string, ifMatch: string): Promise<Answer<void>> =>
  ask(at(id), { method: 'DELETE', ifMatch });
export const addSecret = (id: string, overlapSeconds: number): Promise<Answer<CreatedSecret>> =>
  ask(`${at(id)}/secrets`, { method: 'POST', body: { overlapSeconds } });
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
