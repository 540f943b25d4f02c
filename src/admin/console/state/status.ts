/** How the process and its keys stand, read once for all pages; and what the page just did, said on the next one. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Status } from '../api/types.ts';
import { readStateOfKey, readStatesOfKeys } from '../api/requests.ts';
import { useResource, type Resource } from './resource.ts';
import { createStore } from './store.ts';

export const StatusContext = createContext<Resource<Status>>({
  value: null,
  etag: null,
  failure: null,
  reload: async () => undefined,
});

/** Without the states of keys. */
export const useStatus = (): Resource<Status> => useContext(StatusContext);

const REFRESH_MS = 10_000;

/** With the state of one key. */
export const useStateOfKey = (id: string): Resource<Status> =>
  useResource(`state of ${id}`, () => readStateOfKey(id), REFRESH_MS);

/** With the states of all keys. */
export const useStatesOfKeys = (): Resource<Status> => useResource('states of keys', readStatesOfKeys, REFRESH_MS);

/** Result of an action that left its page. */
export const announcement = createStore('');
