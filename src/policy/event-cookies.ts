/**
 * The cookies in which a backend could find events: those that are called like the places where it has them. PHP, for one, merges
 * cookies with the fields of a form. It takes them out and judges nothing.
 */
import { compileNameReader, type NameReader } from '../lib/query.ts';
import type { CompiledRoute } from './route.ts';

/** A `Cookie` value (RFC 6265 4.2.1) without pairs that could hold events of this route; '' when nothing is left. */
export function withoutEventCookies(cookie: string, route: CompiledRoute): string {
  const readers = readersOf(route);
  const pairs = cookie.split(';');
  if (pairs.length > MOST_PAIRS) return '';
  const kept = pairs.filter((pair) => !holdsName(pair, readers));
  return kept.join(';').replace(/^ +/, '');
}

/** No browser keeps so many for a host; each of them is looked at. */
const MOST_PAIRS = 200;

/** Old readers part cookies by commas, too (RFC 2109 4.2.2). */
const holdsName = (pair: string, readers: readonly NameReader[]): boolean =>
  pair.split(',', MOST_PAIRS).some((piece) => {
    const name = (piece.split('=', 1)[0] as string).trim();
    return readers.some((isName) => isName(name));
  });

/** What events are commonly sent in, besides what the route itself says. */
const USUAL = ['data', 'event', 'events', 'batch'];

function readersOf(route: CompiledRoute): readonly NameReader[] {
  let readers = compiled.get(route);
  if (readers === undefined) {
    const { events, envelope, backend } = route;
    const names = (events?.selectors ?? []).flatMap(({ containers, way, member }) => [
      ...containers.flatMap((container) => container.member ?? []),
      ...way,
      member,
    ]);
    const field = envelope.form === null ? [] : [envelope.form.field];
    const all = new Set([...names, ...field, ...(backend.containers ?? []), ...USUAL]);
    compiled.set(route, (readers = [...all].map(compileNameReader)));
  }
  return readers;
}

/** Routes are immutable, so what was compiled for one holds as long as it lives. */
const compiled = new WeakMap<CompiledRoute, readonly NameReader[]>();
