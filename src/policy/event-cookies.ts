/**
 * The cookies in which a backend could find events: those that are called like the places where it has them. PHP, for one, merges
 * cookies with the fields of a form. It takes them out and judges nothing.
 */
import { withoutCookies } from '../lib/cookies.ts';
import { compileNamesReader, type NameReader } from '../lib/query.ts';
import type { CompiledRoute } from './route.ts';

/** A `Cookie` value (RFC 6265 4.2.1) without pairs that could hold events of this route; '' when nothing is left. */
export const withoutEventCookies = (cookie: string, route: CompiledRoute): string =>
  withoutCookies(cookie, readerOf(route));

/** What events are commonly sent in, besides what the route itself says. */
const USUAL = ['data', 'event', 'events', 'batch'];

function readerOf(route: CompiledRoute): NameReader {
  let reader = compiled.get(route);
  if (reader === undefined) {
    const { events, envelope, backend } = route;
    const names = (events?.selectors ?? []).flatMap(({ containers, way, member }) => [
      ...containers.flatMap((container) => container.member ?? []),
      ...way,
      member,
    ]);
    const field = envelope.form === null ? [] : [envelope.form.field];
    const all = [...names, ...field, ...(backend.containers ?? []), ...USUAL];
    compiled.set(route, (reader = compileNamesReader(all)));
  }
  return reader;
}

/** Routes are immutable, so what was compiled for one holds as long as it lives. */
const compiled = new WeakMap<CompiledRoute, NameReader>();
