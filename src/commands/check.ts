/**
 * `postern check`: every finding about the configuration and the key file, each at its line. Starts and contacts nothing.
 */
import { existsSync } from 'node:fs';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { presetOf } from '../config/presets.ts';
import { formatProblem, hasErrors, inReadingOrder, type Problem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { loadKeyFile } from '../keys/key-file.ts';
import { listFileProblems, unknownNamedLists } from '../keys/list-problems.ts';
import { keyWarnings } from '../keys/warnings.ts';
import type { CommandIo } from './io.ts';

export interface CheckArguments {
  readonly config: string;
  /** Warnings count as errors. */
  readonly strict: boolean;
  /** For programs: one JSON text in place of a line for each finding. */
  readonly json: boolean;
}

/** Exit codes: 0 usable, 1 not usable (with `strict`: or not without warnings). */
export async function runCheck({ config: file, strict, json }: CheckArguments, io: CommandIo): Promise<number> {
  const loaded = loadConfig(file, io.env);
  const keyFile = loaded.keyFile ?? fileToPush(loaded);
  const found = [...loaded.problems, ...(keyFile === null ? [] : checkKeys(keyFile, loaded, io))];
  const weighed = strict ? found.map((problem): Problem => ({ ...problem, severity: 'error' })) : found;
  const shown = inReadingOrder([...weighed, ...loaded.notes]);
  if (json) io.stdout(JSON.stringify({ findings: shown.map(asFinding) }, null, 2));
  else for (const problem of shown) io.stdout(formatProblem(problem));
  io.stderr(summary(file, shown));
  return hasErrors(shown) ? 1 : 0;
}

/** The fields that are promised, in this order. */
const asFinding = ({ file, line, column, severity, field, message }: Problem): Problem => ({
  file,
  line,
  column,
  severity,
  field,
  message,
});

/** With the keys in Redis, the file that `keys push` would copy there, if there is one. */
const fileToPush = ({ config }: LoadedConfig): string | null =>
  config?.keys.source === 'redis' && existsSync(config.keys.file) ? config.keys.file : null;

function checkKeys(file: string, { config, keyFile, namedLists }: LoadedConfig, io: CommandIo): Problem[] {
  const apis = config === null ? null : Object.keys(config.apis);
  const loaded = loadKeyFile(file, io.env, apis);
  const open = Object.entries(config?.apis ?? {}).filter(([, { unlisted }]) => unlisted === 'allow');
  // What a configuration with mistakes names is not known.
  const listsUsed = config === null ? [...loaded.records.lists.keys()] : namedLists.map(({ name }) => name);
  const context = {
    openApis: open.map(([name]) => name),
    eventApis: config === null ? null : apisWithEvents(config),
    listsUsed,
  };
  return [
    // Of those in Redis nothing is known here.
    ...(loaded.definitions === null || keyFile === null ? [] : unknownNamedLists(namedLists, loaded.records)),
    ...loaded.problems,
    ...listFileProblems(file, loaded.records),
    ...keyWarnings(loaded, Date.now(), context),
  ];
}

const apisWithEvents = ({ apis }: Config): string[] =>
  Object.entries(apis).flatMap(([name, { routes, preset }]) =>
    (routes ?? (preset === null ? [] : presetOf(preset).routes)).some(({ events }) => events !== undefined)
      ? [name]
      : [],
  );

function summary(file: string, problems: readonly Problem[]): string {
  if (problems.length === 0) return `${file}: no findings`;
  const counts = (['error', 'warning', 'note'] as const).map((wanted) => {
    const count = problems.filter(({ severity }) => severity === wanted).length;
    return wanted === 'note' && count === 0 ? [] : [counted(count, wanted)];
  });
  return `${file}: ${counts.flat().join(', ')}`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
