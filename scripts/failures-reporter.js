/**
 * A reporter for `node --test`: each assertion that failed, with where it stands, and what its file wrote to standard error;
 * at the end how many passed and failed. Says nothing of files that pass.
 */
import { relative } from 'node:path';

/** Reads the runner's events, gives the text of the report. */
// oxlint-disable-next-line import/no-default-export -- the runner reads it from there
export default async function* report(events) {
  const written = new Map();
  const failedFiles = new Set();
  let passed = 0;
  let failed = 0;
  let path = [];
  for await (const { type, data } of events) {
    const { file, name, nesting } = data;
    if (type === 'test:stderr') written.set(file, (written.get(file) ?? '') + data.message);
    else if (type === 'test:start') path = [...path.slice(0, nesting), name];
    else if (type === 'test:pass' && data.details.type !== 'suite') passed++;
    else if (type === 'test:fail' && data.details.error.failureType !== 'subtestsFailed') {
      failed++;
      if (file !== undefined) failedFiles.add(file);
      const test = path.slice(0, nesting).map((title) => `${title} > `);
      // The runner tells no file of an assertion outside of every test.
      yield `\nFAIL ${file === undefined ? '' : `${relative('.', file)}: `}${test.join('')}${data.details.error.message}\n`;
    }
  }
  for (const file of failedFiles)
    if (written.has(file)) yield `\nstandard error of ${relative('.', file)}:\n${written.get(file)}`;
  yield `\n${passed} assertions passed, ${failed} failed\n`;
}
