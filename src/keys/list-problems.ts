/**
 * What is wrong with address lists that neither the key file nor the configuration can tell alone: names that stand for none, and
 * files that are no lists. Contacts nothing.
 */
import { resolveFrom, type Environment } from '../config/document.ts';
import type { NamedList } from '../config/load.ts';
import { nearestName } from '../config/nearest.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { readWhole } from '../lib/files.ts';
import type { SharedRecords } from './definition.ts';
import type { ListedKeySource } from './listed-source.ts';
import { readListText } from './list-text.ts';
import { readKeyFile } from './read-key-file.ts';

/** The names in the configuration that stand for no list of the key file. */
export function unknownNamedLists(named: readonly NamedList[], { lists }: SharedRecords): Problem[] {
  return named
    .filter(({ name }) => !lists.has(name))
    .map(({ name, unknown }) => {
      const meant = nearestName(name, [...lists.keys()]);
      const hint = meant === null ? '.' : `; did you mean ${JSON.stringify(meant)}?`;
      return { ...unknown, message: `${unknown.message.replace(/\.$/, '')}: ${JSON.stringify(name)}${hint}` };
    });
}

/**
 * The same beside the key file as it is now, in which the names may be newer than those in use. None while the file has mistakes of
 * its own, which are told where it is read.
 */
export async function unknownListsOfFile(named: readonly NamedList[], file: FileOfLists): Promise<readonly Problem[]> {
  if (named.length === 0 || file.source !== 'file') return [];
  const { valid, records } = await readKeyFile({ file: file.file, env: file.env }, file.signal);
  return valid ? unknownNamedLists(named, records) : [];
}

export interface FileOfLists {
  readonly source: Config['keys']['source'];
  readonly file: string;
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** With a key file, a list that the configuration names and the file does not hold is a mistake like any other. @throws Error */
export function refuseUnknownLists(named: readonly NamedList[], source: Pick<ListedKeySource, 'kind' | 'lists'>): void {
  if (source.kind !== 'file') return;
  const known = new Set(source.lists().map(({ name }) => name));
  const unknown = named.filter(({ name }) => !known.has(name));
  if (unknown.length > 0) throw new Error(unknown.map((one) => formatProblem(one.unknown)).join('\n'));
}

/** The lists in files that cannot be used. Paths are meant from the key file. */
export function listFileProblems(keyFile: string, { lists }: SharedRecords): Problem[] {
  return [...lists.values()].flatMap((list) => {
    if (!('definition' in list) || list.definition.kind !== 'file') return [];
    const file = resolveFrom(keyFile, list.definition.file);
    const read = readFile(file);
    if (read.ok) return [];
    const message = `The address list ${list.id} cannot be used: ${read.why}.`;
    return [
      { file, line: read.line, column: 1, severity: 'error' as const, field: `addressLists.${list.id}`, message },
    ];
  });
}

function readFile(
  file: string,
): { readonly ok: true } | { readonly ok: false; readonly why: string; readonly line: number } {
  try {
    return readListText(new TextDecoder('utf-8', { fatal: true }).decode(readWhole(file)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { ok: false, why: `the file cannot be read: ${code ?? 'it is no text in UTF-8'}`, line: 1 };
  }
}
