/**
 * Which page the address names. It is the fragment alone, which never leaves the browser; a secret is never part of it.
 */
import { createStore } from './state/store.ts';

/** A made-up request: what a refusal tells about the one that it ended, or what was typed. Names of events stand between commas. */
export interface AskedAbout {
  readonly keyId?: string;
  readonly ip?: string;
  readonly method?: string;
  readonly path?: string;
  readonly events?: string;
  readonly origin?: string;
}

/** What a page shows of its lists, by names of its own: filters, sorting, range. */
export type View = Readonly<Record<string, string>>;

export type Route =
  | { readonly page: 'overview' | 'keys' | 'history'; readonly view: View }
  /** `allow`: an address that is to be filled in among those from which the key may be used; null: none. */
  | { readonly page: 'key'; readonly id: string; readonly allow: string | null }
  | { readonly page: 'new-key' }
  | { readonly page: 'policies' | 'lists' }
  /** `name` null: a new one. */
  | { readonly page: 'policy' | 'list'; readonly name: string | null }
  /** `name`: null for the first of all. */
  | { readonly page: 'apis'; readonly name: string | null }
  | { readonly page: 'explain'; readonly about: AskedAbout }
  | { readonly page: 'unknown' };

export function parseRoute(fragment: string): Route {
  const [path = '', query = ''] = fragment.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [page = '', id] = path.split('/');
  const parameters = new URLSearchParams(query);
  switch (page) {
    case '':
      return { page: 'overview', view: Object.fromEntries(parameters) };
    case 'keys':
    case 'history':
      return { page, view: Object.fromEntries(parameters) };
    case 'new-key':
      return { page: 'new-key' };
    case 'key':
      return id ? { page: 'key', id: decoded(id), allow: parameters.get('allow') } : { page: 'unknown' };
    case 'policies':
    case 'lists':
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
      return { page: 'explain', about: Object.fromEntries(parameters) };
    default:
      return { page: 'unknown' };
  }
}

/** Where the focus begins anew: another view of the same page is the same place. */
export const placeOf = ({ page, ...rest }: Route): string =>
  `${page} ${'id' in rest ? rest.id : 'name' in rest ? (rest.name ?? '') : ''}`;

export const overviewAddress = (view: View): string => withParameters('#/', view);
export const keysAddress = (view: View): string => withParameters('#/keys', view);
export const historyAddress = (view: View): string => withParameters('#/history', view);
export const keyAddress = (id: string): string => `#/key/${encodeURIComponent(id)}`;
/** The key with an address filled in, not saved. */
export const allowAddress = (id: string, address: string): string => withParameters(keyAddress(id), { allow: address });

export const policyAddress = (name: string): string => `#/policy/${encodeURIComponent(name)}`;
export const listAddress = (name: string): string => `#/list/${encodeURIComponent(name)}`;
export const apiAddress = (name: string): string => `#/apis/${encodeURIComponent(name)}`;

export const explainAddress = (about: AskedAbout): string => withParameters('#/explain', about);

/** `key: ''` asks for callers without a known key; every other empty parameter asks for nothing. */
function withParameters(address: string, parameters: object): string {
  const given = Object.entries(parameters).filter(([name, value]) => value !== '' || name === 'key');
  return given.length === 0 ? address : `${address}?${new URLSearchParams(given as [string, string][]).toString()}`;
}

/** What would be lost if the page were left, each by whoever said it. */
const unsaved = new Map<string, string>();

/** Asks before the page is left; null: nothing of this owner would be lost. */
export function setUnsaved(what: string | null, owner = 'form'): void {
  if (what === null) unsaved.delete(owner);
  else unsaved.set(owner, what);
}

/** Asks where something would be lost; true: nothing is, or it may be. */
export function mayLeave(): boolean {
  // oxlint-disable-next-line no-alert -- the browser's own question also holds the Back button
  if (unsaved.size > 0 && !confirm(`${[...unsaved.values()].join(' ')} Leave without saving?`)) return false;
  unsaved.clear();
  return true;
}

export const route = createStore<Route>(parseRoute(location.hash));

let shown = location.hash;

addEventListener('hashchange', () => {
  if (location.hash === shown) return;
  if (!mayLeave()) {
    history.replaceState(null, '', shown === '' ? '#/' : shown);
    return;
  }
  shown = location.hash;
  route.set(parseRoute(shown));
});

/** Writes into the address what the page shows by now, so that Back and a reload find it again. Nothing is left or drawn anew. */
export function keepAddress(address: string): void {
  history.replaceState(null, '', address);
  shown = location.hash;
}

addEventListener('beforeunload', (event) => {
  if (unsaved.size > 0) event.preventDefault();
});

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
