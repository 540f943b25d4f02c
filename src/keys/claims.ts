/**
 * What keys can only get wrong together: one id, one secret, or the place of the one metrics key, claimed twice. Asked key by key, in
 * the order of the file; holds no key.
 */
import type { Finding } from '../config/issue.ts';
import type { WholeDefinition } from './definition.ts';

/** Asked of what was written, so that a mistake elsewhere in a key does not hide that its id is taken. */
export function createIdClaims(): (written: unknown) => Finding[] {
  const ids = new Set<string>();
  return (written) => {
    const id = isObject(written) && typeof written['id'] === 'string' ? written['id'] : null;
    if (id === null) return [];
    if (ids.has(id))
      return [{ path: ['id'], message: `is used twice: give this key another id than ${JSON.stringify(id)}` }];
    ids.add(id);
    return [];
  };
}

/** What only several keys together can get wrong. Each finding stands at the later one and names the earlier. */
export function createClaims(): (whole: WholeDefinition, written: unknown) => Finding[] {
  const owners = new Map<string, string>();
  return ({ id, type, secrets }, written) => {
    const findings: Finding[] = [];
    const claim = (what: string, finding: (earlier: string) => Finding): void => {
      const earlier = owners.get(what);
      if (earlier === undefined) owners.set(what, id);
      else findings.push(finding(earlier));
    };
    if (type === 'metrics')
      claim('metrics', (earlier) => ({
        path: ['type'],
        message: `cannot be metrics: there may be one metrics key, and ${earlier} is it`,
      }));
    const shorthand = isObject(written) && 'secret' in written;
    secrets.forEach(({ hash }, place) =>
      claim(hash, (earlier) => ({
        path: shorthand ? ['secret'] : ['secrets', place],
        message: `is also a secret of the key ${earlier}; give each key its own`,
      })),
    );
    return findings;
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
