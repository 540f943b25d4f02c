/**
 * Where a backend listens, read from the `upstream` of the configuration once: a host and port, plain or TLS, or a Unix socket.
 * Nothing of a request has a part in it.
 */
import { socketPathOf } from '../lib/unix-socket.ts';

export type Target =
  | {
      readonly kind: 'host';
      /** As it is looked up: perhaps with a final dot; an IPv6 address without brackets. */
      readonly host: string;
      readonly port: number;
      readonly secure: boolean;
      readonly origin: URL;
    }
  | { readonly kind: 'socket'; readonly path: string; readonly origin: URL };

/** Reads `http://`, `https://` or `unix:` with a path. Throws TypeError for anything else. `origin` has the Host for the backend. */
export function targetOf(upstream: string): Target {
  const path = socketPathOf(upstream);
  // A backend behind a socket has no name of its own.
  if (path !== null) return { kind: 'socket', path, origin: new URL('http://localhost') };
  const url = new URL(upstream);
  const isOrigin = (url.protocol === 'http:' || url.protocol === 'https:') && url.pathname === '/' && url.search === '';
  if (!isOrigin || url.username !== '' || url.password !== '' || url.hash !== '')
    throw new TypeError(
      'An upstream is http:// or https://, a host and a port, or unix: and a path, and nothing else.',
    );
  const secure = url.protocol === 'https:';
  const origin = new URL(url.origin);
  origin.hostname = withoutFinalDot(url.hostname);
  return {
    kind: 'host',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    secure,
    origin,
  };
}

/** A name is the same with and without it; neither a certificate nor a Host is written with it (RFC 6066 3). */
export function withoutFinalDot(host: string): string {
  return host.replace(/\.$/, '');
}
