/**
 * Writes what the docs and the JSON Schemas say of settings from the definitions that validate them, and the alert rules for the
 * Prometheus Operator; with `--check`, writes nothing and exits 1 when a file differs. Needs the compiled sources: `npm run build:test` first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { alertRuleFiles } from './docs/alert-rules.js';
import { configurationFiles } from './docs/configuration.js';

const checkOnly = process.argv.includes('--check');
const files = [...(await configurationFiles()), ...alertRuleFiles()];
const stale = [];
for (const { file, content } of files) {
  const wanted = await format(content, { ...(await resolveConfig(file)), filepath: file });
  if (wanted === read(file)) continue;
  stale.push(file);
  if (!checkOnly) writeFileSync(file, wanted);
}
for (const file of stale) process.stdout.write(`${file} ${checkOnly ? 'is out of date' : 'written'}\n`);
if (checkOnly && stale.length > 0) process.exitCode = 1;

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
