/**
 * Filters one body again and again, without any HTTP around it: with the event filter at hand, or by parsing and serialising.
 * Is sent for how many milliseconds to go on, and answers with how many bodies that were.
 * Arguments: the file of the body, allowed event names joined by commas, `filter` or `json`.
 */
import { readFileSync } from 'node:fs';
import { compileEventFilter } from '../../src/event-filter/filter.ts';

type Filter = (body: Buffer) => Buffer;

const [bodyFile = '', names = '', way = ''] = process.argv.slice(2);
const body = readFileSync(bodyFile);
const allowed = new Set(names.split(','));
const filter = way === 'json' ? parseAndSerialise : eventFilter();

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

function eventFilter(): Filter {
  const rule = {
    // `events[].name`, without the reader of that notation.
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
