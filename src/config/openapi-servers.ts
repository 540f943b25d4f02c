/**
 * The path that stands in front of the paths of an OpenAPI document: that of the first server which the nearest level names. Hosts
 * are not looked at: where the backend is, is said in postern.yaml.
 */
import { isMapping } from './openapi-documents.ts';

/** Of an operation, its path item and the document, in this order. No slash at the end; or why it cannot be told. */
export function basePathOf(levels: readonly unknown[]): string | { readonly why: string } {
  const servers = levels.map(serversOf).find((found) => found !== null);
  const [first] = servers ?? [];
  if (first === undefined) return '';
  const url = isMapping(first) ? first['url'] : undefined;
  if (typeof url !== 'string') return { why: 'its first server has no `url`' };
  const filled = fillVariables(url, isMapping(first) ? first['variables'] : undefined);
  if (filled === null) return { why: `its server ${JSON.stringify(url)} has a variable without a default` };
  const base = 'http://localhost/';
  if (!URL.canParse(filled, base)) return { why: `its server ${JSON.stringify(url)} is no URL` };
  return new URL(filled, base).pathname.replace(/\/$/, '');
}

function serversOf(level: unknown): readonly unknown[] | null {
  const servers = isMapping(level) ? level['servers'] : undefined;
  return Array.isArray(servers) && servers.length > 0 ? servers : null;
}

function fillVariables(url: string, variables: unknown): string | null {
  let complete = true;
  const filled = url.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = isMapping(variables) && Object.hasOwn(variables, name) ? variables[name] : undefined;
    const value = isMapping(variable) ? variable['default'] : undefined;
    if (typeof value !== 'string') complete = false;
    return String(value);
  });
  return complete ? filled : null;
}
