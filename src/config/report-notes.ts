/**
 * What `postern check` says of APIs in report mode: they are no mistake, and must not be forgotten. A note, also when the check is
 * strict.
 */
import type { YamlFile } from './document.ts';
import { problemsOf } from './issue.ts';
import type { Problem } from './problem.ts';
import type { Config } from './schema.ts';

const REPORTS = 'is report: nothing that this API gets is refused; what would be is logged and counted';

/** Notes on the APIs that refuse nothing. */
export function reportNotes({ apis }: Config, file: YamlFile): Problem[] {
  const findings = Object.entries(apis).flatMap(([name, { enforcement }]) =>
    enforcement === 'report' ? [{ path: ['apis', name, 'enforcement'], message: REPORTS }] : [],
  );
  return problemsOf(findings, file, [], 'note');
}
