/**
 * What the log may say of a request's path: the route where a key stands in the path, the path as it is matched, or what was
 * received where nobody could say which path that is. Never a query, nor what a URL holds in front of its path.
 */
import { ownText } from '../lib/own-text.ts';
import type { Passage } from './passage.ts';

/** Without a query, or with one that loggablePath takes off; '' where the target has no path. */
export function pathToWrite({
  route,
  path,
  facts,
  rules,
}: Pick<Passage, 'route' | 'path' | 'facts' | 'rules'>): string {
  if (route?.route.backend.keyInPath === true) return route.route.pattern;
  if (path !== '') return lastingPath(path, facts.target);
  return receivedPathToWrite(facts.target, rules);
}

/** Of a target of which nobody could say what path it is. */
export function receivedPathToWrite(target: string, rules: Passage['rules']): string {
  const received = pathAsReceived(target);
  return rules.apis.some(({ router }) => router.hasKeyInPath) ? withoutKeys(received) : received;
}

/** The path is part of the target, and the latest rejections are kept for long. */
function lastingPath(path: string, target: string): string {
  return target.length - path.length > MAX_KEPT_ALONG ? ownText(path) : path;
}

const MAX_KEPT_ALONG = 256;

/** A name and a password may stand in front of the host of an absolute form (RFC 3986 3.2.1). */
function pathAsReceived(target: string): string {
  const end = target.search(/[?#]/);
  const received = ownText(end === -1 ? target : target.slice(0, end));
  if (received.startsWith('/') || received === '*') return received;
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/]*(\/.*)?$/is.exec(received);
  return path === null ? '' : (path[1] ?? '/');
}

/** Every segment that is long enough for a key, since nobody knows in which place one stands. */
const withoutKeys = (path: string): string => path.replace(/[^/]{16,}/g, ':key');
