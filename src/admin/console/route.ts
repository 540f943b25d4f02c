/**
 * Which page the address names. It is the fragment alone, which never leaves the browser; a secret is never part of it.
 */
import { createStore } from './state/store.ts';

/** What a refusal tells about the request that it ended. */
export interface AskedAbout {
  readonly keyId?: string;
  readonly ip?: string;
  readonly method?: string;
  readonly path?: string;
}

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'keys' }
  | { readonly page: 'key'; readonly id: string }
  | { readonly page: 'new-key' }
  | { readonly page: 'policies' | 'lists' | 'history' }
  /** `name` null: a new one. */
  | { readonly page: 'policy' | 'list'; readonly name: string | null }
  /** `name`: null for the first of all. */
  | { readonly page: 'apis'; readonly name: string | null }
  | { readonly page: 'explain'; readonly about: AskedAbout }
  | { readonly page: 'unknown' };

export function parseRoute(fragment: string): Route {
  const [path = '', query = ''] = fragment.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [page = '', id] = path.split('/');
  switch (page) {
    case '':
      return { page: 'overview' };
    case 'keys':
      return { page: 'keys' };
    case 'new-key':
      return { page: 'new-key' };
    case 'key':
      return id ? { page: 'key', id: decoded(id) } : { page: 'unknown' };
    case 'policies':
    case 'lists':
    case 'history':
      return { page };
    case 'new-policy':
      return { page: 'policy', name: null };
    case 'new-list':
      return { page: 'list', name: null };
    case 'policy':
    case 'list':
      return id ? { page, name: decoded(id) } : { page: 'unknown' };
    case 'apis':
      return { page: 'apis', name: id ? decoded(id) : null };
    case 'explain':
      return { page: 'explain', about: Object.fromEntries(new URLSearchParams(query)) };
    default:
      return { page: 'unknown' };
  }
}

export const keyAddress = (id: string): string => `#/key/${encodeURIComponent(id)}`;

export const policyAddress = (name: string): string => `#/policy/${encodeURIComponent(name)}`;
export const listAddress = (name: string): string => `#/list/${encodeURIComponent(name)}`;
export const apiAddress = (name: string): string => `#/apis/${encodeURIComponent(name)}`;

export function explainAddress(about: AskedAbout): string {
  const given = Object.entries(about).filter(([, value]) => value !== '');
  return `#/explain?${new URLSearchParams(given as [string, string][]).toString()}`;
}

/** Asks before a page with unsaved text is left; null when there is none. */
let unsaved: string | null = null;

export const setUnsaved = (what: string | null): void => {
  unsaved = what;
};

export const route = createStore<Route>(parseRoute(location.hash));

let shown = location.hash;

addEventListener('hashchange', () => {
  if (location.hash === shown) return;
  // oxlint-disable-next-line no-alert -- the browser's own question also holds the Back button
  if (unsaved !== null && !confirm(`${unsaved} Leave without saving?`)) {
    history.replaceState(null, '', shown === '' ? '#/' : shown);
    return;
  }
  unsaved = null;
  shown = location.hash;
  route.set(parseRoute(shown));
});

addEventListener('beforeunload', (event) => {
  if (unsaved !== null) event.preventDefault();
});

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
