/**
 * Keeps other web pages away from the console and the API: the Host has to be a name of this port (against DNS rebinding), and
 * a browser has to say that the request comes from the console itself (against cross-site requests). Reads no token.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { parseAddress } from '../lib/address.ts';
import { fieldValues } from '../lib/header-list.ts';
import { problem, type AdminProblem } from './problem.ts';

export interface OriginGuardOptions {
  /** `admin.host`, where the port listens. */
  readonly host: string;
  /** `admin.hosts`: names, lower-case and without a port. */
  readonly hosts: readonly string[];
}

/** Why the Host or the origin of a request is refused, or null. */
export type OriginGuard = (request: IncomingMessage) => AdminProblem | null;

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export function createOriginGuard({ host, hosts }: OriginGuardOptions): OriginGuard {
  const own = isIP(host) === 6 ? `[${host}]` : host.toLowerCase();
  const local = WILDCARDS.has(host) || isLoopback(own) ? LOOPBACK_NAMES : [];
  const names: ReadonlySet<string> = new Set([...(WILDCARDS.has(host) ? [] : [own]), ...local, ...hosts]);
  const published: ReadonlySet<string> = new Set(hosts);

  return (request) => {
    const authority = hostOf(request);
    const name = authority === null ? null : nameOf(authority);
    // An address that the connection itself arrived at cannot have been a name that was rebound to it.
    if (authority === null || name === null || !(names.has(name) || name === arrivedAt(request))) return MISDIRECTED;
    const { origin } = request.headers;
    if (origin !== undefined && !isOwnOrigin(origin, authority, published) && !isVouchedFor(request, published))
      return FOREIGN;
    return isForeignFetch(request) ? FOREIGN : null;
  };
}

const MISDIRECTED = problem(
  'misdirected_request',
  'The Host is not a name of the admin port. Names under which it is reached belong into `admin.hosts`.',
);
const FOREIGN = problem('foreign_origin', 'Requests from other web pages are not answered.');

const isLoopback = (name: string): boolean =>
  name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name);

/** The one Host of a request, lower-case; null for none, several or a malformed one. */
function hostOf({ rawHeaders }: IncomingMessage): string | null {
  const values = fieldValues(rawHeaders, 'host');
  return values.length === 1 ? (values[0] as string).toLowerCase() : null;
}

/** Any port will do: tunnels and port mappings change it, and a rebound name is refused by the name. */
const nameOf = (authority: string): string | null =>
  /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/.exec(authority)?.[1] ?? null;

function arrivedAt({ socket }: IncomingMessage): string | null {
  const address = parseAddress(socket.localAddress ?? '');
  if (address === null) return null;
  const text = (socket.localAddress ?? '').replace(/^::ffff:/i, '').toLowerCase();
  return isIP(text) === 6 ? `[${text}]` : text;
}

/** The console's own origin: the Host of the request, or a published name that a TLS proxy may have replaced by another. */
function isOwnOrigin(origin: string, authority: string, published: ReadonlySet<string>): boolean {
  const host = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
  return host !== undefined && (host === authority || published.has(host));
}

/**
 * A proxy may drop the port from the Host that it passes on. A browser says by itself whether a request comes from the page's own
 * origin; all the same the origin must have a published name.
 */
function isVouchedFor({ headers }: IncomingMessage, published: ReadonlySet<string>): boolean {
  const host = /^https?:\/\/([^/]+)$/.exec((headers.origin ?? '').toLowerCase())?.[1];
  const name = nameOf(host ?? '');
  return headers['sec-fetch-site'] === 'same-origin' && name !== null && published.has(name);
}

/**
 * By Fetch Metadata, where a browser sends it. Following a link from another site to the console is no attack, since a page that
 * is opened so cannot be read by the other; asking the API for anything is.
 */
function isForeignFetch({ headers, method, url = '' }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  const opened = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return !opened || method !== 'GET' || /^\/api(?:\/|\?|$)/.test(url);
}
