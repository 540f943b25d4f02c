/**
 * Filters one body again and again, without any HTTP around it: with the event filter of a build, or by parsing and
 * serialising. Is sent for how many milliseconds to go on, and answers with how many bodies that were.
 * Arguments: the file of the body, allowed event names joined by commas, the folder of the build or `json`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as FilterModule from '../../src/event-filter/filter.ts';

type Filter = (body: Buffer) => Buffer;

const [bodyFile = '', names = '', build = ''] = process.argv.slice(2);
const body = readFileSync(bodyFile);
const allowed = new Set(names.split(','));
const filter = build === 'json' ? parseAndSerialise : await filterOf(build);

process.on('message', (milliseconds: number) => {
  const end = performance.now() + milliseconds;
  let bodies = 0;
  for (; performance.now() < end; bodies++) filter(body);
  process.send?.(bodies);
});
process.send?.('ready');

function parseAndSerialise(bytes: Buffer): Buffer {
  const batch = JSON.parse(bytes.toString()) as { events: { name: string }[] };
  batch.events = batch.events.filter(({ name }) => allowed.has(name));
  return Buffer.from(JSON.stringify(batch));
}

async function filterOf(folder: string): Promise<Filter> {
  const { compileEventFilter } = (await import(join(folder, 'event-filter', 'filter.js'))) as typeof FilterModule;
  const rule = {
    // `events[].name`, without the reader of that notation: builds differ in where it stands, and in what it makes.
    selector: { kind: 'batch', container: 'events', member: 'name' },
    selectors: [{ containers: [{ member: 'events', holds: 'array' as const }], way: [], member: 'name' }],
    allowed,
    onDisallowed: 'remove' as const,
    unnamed: 'disallow' as const,
  };
  const compiled = compileEventFilter(rule);
  return (bytes) => {
    const result = compiled(bytes);
    if (!result.ok) throw new Error(result.refusal.why);
    return result.body;
  };
}
