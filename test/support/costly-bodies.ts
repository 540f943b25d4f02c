/**
 * Bodies that cost a reader of JSON the most for their bytes, and ordinary ones to compare them with. Each is made for a size.
 */

export interface CostlyBody {
  readonly name: string;
  /** Of an event at the top, or of a batch in `events`. */
  readonly form: 'single' | 'batch';
  readonly make: (size: number) => Buffer;
}

/** As many of the items as fit, with commas between them. */
function list(size: number, item: (i: number) => string): string {
  const items: string[] = [];
  for (let i = 0, left = size - 64; ; i++) {
    const next = item(i);
    left -= Buffer.byteLength(next) + 1;
    if (left < 0) return items.join(',');
    items.push(next);
  }
}

const members = (name: string, item: string | ((i: number) => string)): CostlyBody => ({
  name,
  form: 'single',
  make: (size) => Buffer.from(`{${list(size, typeof item === 'string' ? () => item : item)}}`),
});

const events = (name: string, item: string | ((i: number) => string)): CostlyBody => ({
  name,
  form: 'batch',
  make: (size) =>
    Buffer.from(`{"events":[{"name":"view"},${list(size, typeof item === 'string' ? () => item : item)}]}`),
});

const value = (name: string, of: (size: number) => string): CostlyBody => ({
  name,
  form: 'single',
  make: (size) => Buffer.from(`{"name":"view","x":${of(size - 64)}}`),
});

/** What a web page sends. */
export const ORDINARY_BODY: CostlyBody = events(
  'ordinary events',
  (i) =>
    `{"name":"view","userId":"user-${i}","properties":{"page":"/products/${i}","referrer":"https://www.example.com/","width":1280}}`,
);

export const COSTLY_BODIES: readonly CostlyBody[] = [
  members('names of one letter beyond ASCII', '"é":0'),
  members('names of one letter', '"a":0'),
  members('names without a letter', '"":0'),
  members('names of a space', '" ":0'),
  members('names of one escape', '"\\u0061":0'),
  members('names of a short escape', '"\\n":0'),
  members('names of NUL', '"\\u0000":0'),
  members('names of a lone surrogate', '"\\ud800":0'),
  members('names of a character that shows nothing', '"\u00ad":0'),
  members('names of a combining mark', '"\u0301":0'),
  members('names that begin as the wanted one', '"nam\u0301":0'),
  members('names that are nearly the wanted one', '"n\u00ada\u00adm\u00ade\u00ads":0'),
  members('names that end after NUL', '"nam\\u0000e":0'),
  members('names that are all other', (i) => `"${String.fromCodePoint(0x10000 + (i % 0xf0000))}":0`),
  members('the prototype in escapes', '"\\u005f_proto__":0'),
  members('the wanted name in escapes', '"\\u006eame":0'),
  members('the wanted name in another case', '"NAME":0'),
  members('names of the same length', '"nane":0'),
  members('white space', () => '"a"\t \r\n:\t \r\n0\t \r\n'),
  value('one name of marks', (size) => `0,"${'\u0301\u0316'.repeat(size / 4 - 8)}":0`),
  value('one name of what shows nothing', (size) => `0,"n${'\u00ad'.repeat(size / 2 - 8)}ame":0`),
  value('one long number', (size) => '1'.repeat(size)),
  value('one long string', (size) => `"${'a'.repeat(size - 2)}"`),
  value('one string of escapes', (size) => `"${'\\u0061'.repeat(size / 6 - 1)}"`),
  value('a list of digits', (size) => `[${list(size, () => '1')}]`),
  value('a list of lists', (size) => `[${list(size, () => '[]')}]`),
  value('lists in lists', (size) => `[${list(size, () => '['.repeat(60) + ']'.repeat(60))}]`),
  value('objects in objects', (size) => `[${list(size, () => `${'{"":'.repeat(60)}0${'}'.repeat(60)}`)}]`),
  events('events without a name', '{}'),
  events('each second event cut', (i) => (i % 2 === 0 ? '{}' : '{"name":"view"}')),
  events('the name in escapes', '{"n\\u0061me":"view"}'),
  events('event names of an escape', '{"name":"\\n"}'),
  events('event names in escapes', '{"name":"\\u0076\\u0069ew"}'),
  events('event names as long as an allowed one', '{"name":"viev"}'),
  events('events in another case', '{"NAME":0}'),
  {
    name: 'bytes that are no UTF-8',
    form: 'single',
    make: (size) => Buffer.from(`{${list(size, () => '"\xff":0')}}`, 'latin1'),
  },
];
