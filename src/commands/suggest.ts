/**
 * `postern suggest`: what the running sidecar observed, as the narrowest keys that fit it, or as the routes of an API, in YAML with
 * what each line rests on. Changes nothing.
 */
import { adminClient, type AdminPlace, type AskAdmin } from './admin-client.ts';
import type { CommandIo } from './io.ts';
import { routesYaml, suggestionYaml, type SuggestedKey, type UsedRoute } from './suggestion-yaml.ts';

export interface SuggestArguments extends AdminPlace {
  /** The id of a key; null: all. */
  readonly key: string | null;
  /** The routes of this API in place of keys. */
  readonly api: string | null;
  readonly json: boolean;
}

/** Exit codes: 0 done, 1 configuration error, or nothing can be suggested, 2 usage error, 70 the admin port cannot be asked. */
export async function runSuggest(args: SuggestArguments, io: CommandIo): Promise<number> {
  if (args.key !== null && args.api !== null) {
    io.stderr('--key and --api cannot be given together. See postern suggest --help.');
    return 2;
  }
  const ask = adminClient(args, io);
  if (typeof ask === 'number') return ask;
  return args.api === null ? suggestKeys(args, ask, io) : suggestRoutes(args.api, args, ask, io);
}

async function suggestKeys({ key, json }: SuggestArguments, ask: AskAdmin, io: CommandIo): Promise<number> {
  const ids = key === null ? await keyIds(ask) : [key];
  if (!Array.isArray(ids)) return failed(ids, io);
  const keys: SuggestedKey[] = [];
  for (const id of ids) {
    const answer = await ask(`/api/keys/${encodeURIComponent(id)}/suggestion`);
    if (!answer.ok) return failed({ ...answer, why: `key ${JSON.stringify(id)}: ${answer.why}` }, io);
    keys.push({ id, ...(answer.body as Omit<SuggestedKey, 'id'>) });
  }
  io.stdout(json ? JSON.stringify({ keys }) : suggestionYaml(keys));
  return 0;
}

type Failed = { readonly exit: number; readonly why: string };

async function keyIds(ask: AskAdmin): Promise<string[] | Failed> {
  const answer = await ask('/api/keys');
  return answer.ok ? (answer.body as { keys: { id: string }[] }).keys.map(({ id }) => id) : answer;
}

async function suggestRoutes(api: string, { json }: SuggestArguments, ask: AskAdmin, io: CommandIo): Promise<number> {
  const answer = await ask(`/api/apis/${encodeURIComponent(api)}/observed?callers=all`);
  if (!answer.ok) return failed({ ...answer, why: `API ${JSON.stringify(api)}: ${answer.why}` }, io);
  const observed = answer.body as { routes: UsedRoute[]; truncated: { routes: number } };
  const routes = observed.routes.filter(({ good }) => good > 0);
  if (routes.length === 0)
    return failed({ exit: 1, why: `API ${JSON.stringify(api)}: no good request was observed.` }, io);
  const missed = observed.truncated.routes;
  io.stdout(json ? JSON.stringify({ routes, truncated: missed }) : routesYaml(routes, missed));
  return 0;
}

function failed({ exit, why }: Failed, io: CommandIo): number {
  io.stderr(why);
  return exit;
}
