/**
 * The body of a request that nobody sent: events of the names that were asked about, where the route has them, and nothing else.
 */
import type { CompiledRoute } from '../policy/route.ts';

/** A body of the first shape that the route takes; of a route with one event, the first of them. */
export function madeUpBody({ events }: CompiledRoute, names: readonly string[]): Buffer {
  const [selector] = events?.selectors ?? [];
  if (events === null || selector === undefined) return Buffer.alloc(0);
  const { containers, way, member } = selector;
  const { when } = events;
  const items = names.map((name) => {
    const event = [...way, member].reduceRight<unknown>((held, level) => ({ [level]: held }), name) as object;
    return when === null ? event : { [when.member]: when.is[0], ...event };
  });
  if (containers.length === 0) return Buffer.from(JSON.stringify(items[0]));
  const body = containers.reduceRight<unknown>((held, { member: name, holds }, level) => {
    const value = holds === 'array' && level < containers.length - 1 ? [held] : held;
    return name === null ? value : { [name]: value };
  }, items);
  return Buffer.from(JSON.stringify(body));
}
