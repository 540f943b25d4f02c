/** How the process and its keys stand, read once for all pages; and what the page just did, said on the next one. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Status } from '../api/types.ts';
import type { Resource } from './resource.ts';
import { createStore } from './store.ts';

export const StatusContext = createContext<Resource<Status>>({
  value: null,
  etag: null,
  failure: null,
  reload: async () => undefined,
});

export const useStatus = (): Resource<Status> => useContext(StatusContext);

/** Result of an action that left its page. */
export const announcement = createStore('');
