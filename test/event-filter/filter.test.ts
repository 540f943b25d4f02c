import * as fc from 'fast-check';
import t from 'tap';
import { type EventSelector, parseSelector } from '../../src/config/selector.ts';
import { compileEventFilter, type EventRule, type FilterResult } from '../../src/event-filter/filter.ts';
import { eventCaseFrom } from '../support/event-bodies.ts';
import { checkCase, describe, runEventFuzz } from '../support/event-fuzz.ts';

const RULE = { allowed: new Set(['a', 'b', '頁面']), onDisallowed: 'remove', unnamed: 'disallow' } as const;

function filter(
  selector: string | readonly string[],
  body: string | Buffer,
  rule: Partial<EventRule> = {},
): FilterResult {
  const selectors = [selector].flat().map((text) => parseSelector(text) as EventSelector);
  const run = compileEventFilter({ ...RULE, selectors, ...rule });
  return run(typeof body === 'string' ? Buffer.from(body) : body);
}

/** The refusal's code, `same` for the very buffer that came in, or the new body. */
function outcome(selector: string | readonly string[], body: string | Buffer, rule: Partial<EventRule> = {}): string {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const result = filter(selector, bytes, rule);
  if (!result.ok) return result.refusal.code;
  return result.body === bytes ? 'same' : result.body.toString();
}

void t.test('a single event', async (t) => {
  const single = (body: string): string => outcome('name', body);
  t.equal(single('{"name":"a"}'), 'same');
  t.equal(single(' { "n\\u0061me" : "\\u0061" , "x" : [ ] } '), 'same');
  t.equal(single('{"name":"頁面"}'), 'same');
  for (const body of [
    '{}',
    '{"name":"c"}',
    '{"name":"A"}',
    '{"name":"a "}',
    '{"name":null}',
    '{"name":1}',
    '{"name":["a"]}',
    '{"name":{"a":1}}',
  ])
    t.equal(single(body), 'event_not_allowed', body);
  t.equal(single('{"properties":{"name":"a"}}'), 'event_not_allowed', 'deeper down is elsewhere');
  for (const body of ['[]', '[{"name":"a"}]', '"a"', 'null', '1']) t.equal(single(body), 'invalid_event_body', body);
  t.match(filter('name', '{"name":"a"}'), { cut: false, forwarded: 1, removed: 0 });
  t.match(filter('name', '{"name":"c"}'), { rejected: 1 });
  t.match(filter('name', '[]'), { rejected: 0 });
  t.equal(outcome('name', '{}', { unnamed: 'allow' }), 'event_not_allowed', 'unnamed is for batch items');
});

void t.test('where all shapes are lists, an object is none of them', async (t) => {
  const either = (body: string): string => outcome(['[].name', '[].event'], body);
  for (const body of ['{}', '{"name":"a"}', '"a"', ''])
    t.ok(['invalid_event_body', 'invalid_json'].includes(either(body)), body);
});

void t.test('a second name is refused in every spelling that some library reads as the first', async (t) => {
  const signs = ['\uFDD0', '\uFFFE', '\u{1FFFF}', '\u0000', '\u200b', '\uFFFD', '\ufeff'];
  for (const name of [...signs.map((sign) => `na${sign}me`), 'NAME', ' name', 'name\t', 'n\u0061me'])
    t.equal(outcome('name', `{"name":"a",${JSON.stringify(name)}:"c"}`), 'ambiguous_body', JSON.stringify(name));
  t.equal(outcome('name', '{"name":"a","na\\ud800me":"c"}'), 'ambiguous_body');
  t.equal(outcome('name', '{"name":"a","names":"c"}'), 'same');
});

const left = (items: string): string => `{"x":1.0, "events" : [${items}] ,"y":[]}`;

void t.test('a batch with something to cut', async (t) => {
  const A = '{"name":"a","n":1e400,"o":{"z":-0,"z":"\\u0041"}}';
  const C = '{"name":"c"}';
  const batch = (items: string): string => outcome('events[].name', left(items));
  t.equal(batch(`${A},${C}`), left(A));
  t.equal(batch(`${C},${A}`), left(A));
  t.equal(batch(`${A},${C},${A}`), left(`${A},${A}`));
  t.equal(batch(`${C},${C},${A},${C},${C},${A},${A},${C}`), left(`${A},${A},${A}`));
  t.equal(batch(` ${A}\n,\t${C} ,\r\n${A}  `), left(` ${A}\n,\r\n${A}  `), 'a segment keeps its spacing');
  t.equal(batch(`\n ${C} , ${A}`), left(` ${A}`), 'or goes with it');
  t.equal(batch(`${A},{},{"name":null},{"name":["a"]},{"NAMES":"a"}`), left(A), 'no name, or none that is a string');
  t.match(filter('events[].name', `{"events":[${A},${C},${A}]}`), { cut: true, forwarded: 2, removed: 1 });
});

void t.test('a batch with nothing to cut, or nothing to keep', async (t) => {
  t.equal(outcome('events[].name', '{"events":[{"name":"a"},{"name":"b"}]}'), 'same');
  t.equal(outcome('events[].name', '{"events":[ ]}'), 'same');
  t.equal(outcome('[].name', ' [] '), 'same');
  t.equal(outcome('[].name', '[{"name":"a"}]'), 'same');
  t.equal(outcome('[].name', '[{"name":"c"},{"name":"a"}]'), '[{"name":"a"}]');
  t.equal(outcome('events[].name', '{"events":[{"name":"c"},{}]}'), 'event_not_allowed');
  t.match(filter('events[].name', '{"events":[{"name":"c"},{}]}'), { rejected: 2 });
});

void t.test('reject: one disallowed event refuses the batch', async (t) => {
  const rule = { onDisallowed: 'reject' } as const;
  t.equal(outcome('[].name', '[{"name":"a"},{"name":"b"}]', rule), 'same');
  t.equal(outcome('[].name', '[]', rule), 'same');
  t.equal(outcome('[].name', '[{"name":"a"},{"name":"c"}]', rule), 'event_not_allowed');
  t.match(
    filter('[].name', '[{"name":"a"},{"name":"c"}]', rule),
    { rejected: 2 },
    'no event of it reached the backend',
  );
});

void t.test('unnamed items', async (t) => {
  const rule = { unnamed: 'allow' } as const;
  t.equal(outcome('[].name', '[{"type":"identify"},{"name":"a"}]', rule), 'same');
  t.equal(outcome('[].name', '[{"type":"identify"},{"name":"c"}]', rule), '[{"type":"identify"}]');
  t.equal(outcome('[].name', '[{"name":null},{}]', rule), '[{}]', 'a name that is no string is no missing name');
  t.equal(outcome('[].name', '[{"Name":"c"}]', rule), 'ambiguous_body');
});

void t.test('no names allowed, none pass', async (t) => {
  const rule = { allowed: new Set<string>() };
  t.equal(outcome('name', '{"name":"a"}', rule), 'event_not_allowed');
  t.equal(outcome('[].name', '[{"name":"a"},{"name":""}]', rule), 'event_not_allowed');
  t.equal(outcome('[].name', '[]', rule), 'same');
});

void t.test('a body without the shape', async (t) => {
  for (const body of [
    '[]',
    '{}',
    '1',
    '"events"',
    '{"event":[]}',
    '{"events":null}',
    '{"events":{}}',
    '{"events":"[]"}',
    '{"x":{"events":[]}}',
  ])
    t.equal(outcome('events[].name', body), 'invalid_event_body', body);
  for (const items of ['1', 'null', '"a"', '[]', '[{"name":"a"}]', '{"name":"a"},1', '{"name":"c"},null'])
    t.equal(outcome('events[].name', `{"events":[${items}]}`), 'invalid_event_body', items);
  for (const body of ['{}', '1', '{"name":"a"}', '{"events":[]}'])
    t.equal(outcome('[].name', body), 'invalid_event_body', body);
});

void t.test('a member that can be read in two ways', async (t) => {
  for (const members of [
    '"name":"a","name":"a"',
    '"name":"a","n\\u0061me":"a"',
    '"name":"a","NAME":"c"',
    '"Name":"a"',
    '"\\u004eame":"a"',
    '"name":"a","name\\u0000":1',
    '"name":"a","na\\ud800me":1',
    '"name":"a","name\ufffd":1',
    '"name":"a","\\u200bname":1',
    '"name":"a","x":1,"name":2',
  ]) {
    t.equal(outcome('name', `{${members}}`), 'ambiguous_body', members);
    t.equal(outcome('events[].name', `{"events":[{"name":"b"},{${members}}]}`), 'ambiguous_body', members);
  }
  for (const body of [
    '{"events":[],"events":[]}',
    '{"events":[],"Events":[]}',
    '{"EVENTS":[]}',
    '{"event\u017f":[]}',
    '{"events":1,"events":[]}',
    '{"events":[],"\\u0065vents\\u0000":1}',
  ])
    t.equal(outcome('events[].name', body), 'ambiguous_body', body);
});

void t.test('members that the selector does not look at may be what they are', async (t) => {
  const body =
    '{"names":"c","x":1,"x":2,"events":[{"name":"a","events":1,"Events":2,"properties":{"name":"c","Name":1,"name":2}}]}';
  t.equal(outcome('events[].name', body), 'same');
});

void t.test('a batch and a single event side by side are two bodies in one', async (t) => {
  for (const rival of [
    '"name":"c"',
    '"NAME":1',
    '"n\\u0061me":"a"',
    '"__proto__":{"name":"c"}',
    '"__proto__":{"__proto__":{}}',
  ])
    for (const body of [`{"events":[],${rival}}`, `{${rival},"events":[{"name":"a"}]}`, `{"events":1,${rival}}`])
      t.equal(outcome('events[].name', body), 'ambiguous_body', body);
  t.equal(outcome('events[].name', '{"name":"a"}'), 'invalid_event_body', 'no batch');
  const odd = (last: string): string => `{"events":[]${',"\u00e9":0'.repeat(2000)},${last}}`;
  t.same(
    [outcome('events[].name', odd('"x":0')), outcome('events[].name', odd('"n\u00e4me":0,"Name":0'))],
    ['same', 'ambiguous_body'],
  );
  for (const body of [
    '{"events":[],"__proto__":{"x":1}}',
    '{"events":[],"__proto__":1}',
    '{"events":[],"x":{"name":"c"}}',
  ])
    t.equal(outcome('events[].name', body), 'same', body);
  t.equal(outcome('name[].name', '{"name":[{"name":"a"}]}'), 'same', 'one name for both');
});

void t.test('what else the backend takes events from, where its preset says so', async (t) => {
  const also = { containers: ['batch', 'data'] };
  for (const body of ['{"name":"a","batch":[]}', '{"Data":1,"name":"a"}', '{"name":"a","__proto__":{"batch":[]}}'])
    t.same([outcome('name', body, also), outcome('name', body)], ['ambiguous_body', 'same'], body);
  t.equal(outcome('events[].name', '{"events":[],"data":1}', also), 'ambiguous_body');
  t.equal(outcome('name', '{"batch":[]}', also), 'event_not_allowed');
});

void t.test('a method beside the events is another request to backends that read it from JSON', async (t) => {
  for (const rival of ['"_method":"DELETE"', '"_METHOD":1', '"_m\\u0065thod":"PUT"', '"__proto__":{"_method":"PUT"}']) {
    t.equal(outcome('name', `{"name":"a",${rival}}`), 'ambiguous_body', rival);
    t.equal(outcome('name', `{${rival},"name":"a"}`), 'ambiguous_body', rival);
    t.equal(outcome('events[].name', `{${rival},"events":[{"name":"a"}]}`), 'ambiguous_body', rival);
  }
  for (const body of ['{"name":"a","properties":{"_method":"PUT"}}', '{"name":"a","method":"PUT","__method":1}'])
    t.equal(outcome('name', body), 'same', body);
  t.equal(outcome('[].name', '[{"name":"a","_method":"PUT"}]'), 'same', 'a list is no request to them');
});

void t.test('events deeper in the body', async (t) => {
  const spans = (body: string, rule = {}): string => outcome('resource[].spans[].name', body, rule);
  t.equal(spans('{"resource":[{"spans":[{"name":"a"}]},{"spans":[]}]}'), 'same');
  t.equal(
    spans('{"resource":[{"id":1.0,"spans":[{"name":"c"}]},{"spans":[ {"name":"c"}, {"name":"a"} ,{}]}] }'),
    '{"resource":[{"id":1.0,"spans":[]},{"spans":[ {"name":"a"} ]}] }',
    'byte for byte in every array',
  );
  t.equal(spans('{"resource":[{"spans":[{"name":"c"}]},{"spans":[{"name":"c"}]}]}'), 'event_not_allowed');
  t.match(filter('resource[].spans[].name', '{"resource":[{"spans":[{"name":"c"}]},{"spans":[{}]}]}'), { rejected: 2 });
  const mixed = '{"resource":[{"spans":[{"name":"a"},{"name":"c"}]},{"spans":[{"name":"c"}]}]}';
  t.match(filter('resource[].spans[].name', mixed), { forwarded: 1, removed: 2 });
  t.equal(spans(mixed, { onDisallowed: 'reject' }), 'event_not_allowed');
  t.equal(spans('{"resource":[]}'), 'same');
  for (const body of [
    '{"resource":{}}',
    '{"resource":[[]]}',
    '{"resource":[{"spans":[1]}]}',
    '{"resource":[{}]}',
    '[]',
  ])
    t.equal(spans(body), 'invalid_event_body', body);
  const single = (body: string): string => outcome('payload.name', body);
  t.equal(single('{"payload":{"name":"a"}}'), 'same');
  t.equal(single('{"payload":{"name":"c"}}'), 'event_not_allowed');
  t.equal(single('{"payload":{}}'), 'event_not_allowed');
  for (const body of ['{}', '{"payload":"a"}', '{"payload":[{"name":"a"}]}'])
    t.equal(single(body), 'invalid_event_body', body);
  t.equal(single('{"payload":{"name":"a"},"name":"c"}'), 'ambiguous_body', 'two events in one');
  t.equal(single('{"payload":{"name":"a"},"payload.name":"c"}'), 'ambiguous_body', 'to who finds it by its path');
  const inner = (body: string): string => outcome('a.b.list[].name', body);
  t.equal(inner('{"a":{"b":{"list":[{"name":"a"}]}}}'), 'same');
  for (const name of ['a.b', 'a.b.list', 'A.b.list'])
    t.equal(inner(`{"a":{"b":{"list":[{"name":"a"}]}},"${name}":[{"name":"c"}]}`), 'ambiguous_body', name);
  t.equal(inner('{"a":{"b":{"list":[{"name":"a"}]},"b.list":[{"name":"c"}]}}'), 'ambiguous_body');
  for (const name of ['a.b.list.name', 'b.list', 'a.list'])
    t.equal(inner(`{"a":{"b":{"list":[{"name":"a"}]}},"${name}":"c"}`), 'same', name);
  t.equal(outcome('[].a.b.name', '[{"a":{"b":{"name":"a"}}},{"a":{"b":{"name":"c"}}}]'), '[{"a":{"b":{"name":"a"}}}]');
  t.equal(outcome('a[].b[].c[].name', `{"a":[{"b":[{"c":[{"name":"a","x":${nested(57)}}]}]}]}`), 'same');
  t.equal(outcome('a[].b[].c[].name', `{"a":[{"b":[{"c":[{"name":"a","x":${nested(58)}}]}]}]}`), 'invalid_json');
});

void t.test('of several selectors exactly one has to fit', async (t) => {
  const any = (body: string, rule = {}): string => outcome(['batch[].event', '[].event', 'event'], body, rule);
  for (const body of ['{"batch":[{"event":"a"}]}', '[{"event":"a"}]', '{"event":"a"}', '[]', '{"batch":[]}'])
    t.equal(any(body), 'same', body);
  t.equal(any('{"x":1,"batch":[{"event":"a"},{"event":"c"}]}'), '{"x":1,"batch":[{"event":"a"}]}');
  t.equal(any('[{"event":"c"},{"event":"a"}]'), '[{"event":"a"}]');
  for (const body of ['{"event":"c"}', '{}', '{"x":1}', '[{}]']) t.equal(any(body), 'event_not_allowed', body);
  for (const body of [
    '{"batch":[],"event":"a"}',
    '{"event":"a","batch":[{"event":"a"}]}',
    '{"event":"a","Batch":[]}',
    '{"event":"a","__proto__":{"batch":[]}}',
    '{"EVENT":"a"}',
    '{"batch":[],"batch":[]}',
    '{"event":"a","_method":"PUT"}',
  ])
    t.equal(any(body), 'ambiguous_body', body);
  for (const body of ['1', '"event"', '{"batch":{}}', '[1]']) t.equal(any(body), 'invalid_event_body', body);
  for (const body of ['', '{', '{"event":"a"}x', '[']) t.equal(any(body), 'invalid_json', body);
  const other = (body: string): string => outcome(['event', 'batch[].event', 'data[].event'], body);
  t.equal(other('{"data":[{"event":"a"}]}'), 'same', 'found behind one that is inherited or not');
  t.equal(other('{"__proto__":{"batch":[]},"data":[{"event":"a"}]}'), 'ambiguous_body');
  t.equal(other('{"data":[],"batch":[]}'), 'ambiguous_body');
  t.equal(outcome(['batch[].event', 'data[].event'], '{"x":1}'), 'invalid_event_body');
  t.equal(outcome(['batch[].event', '[].event'], '1'), 'invalid_event_body');
});

void t.test('an object that PHP takes for a list is none, where a list is one of the shapes', async (t) => {
  const SHAPES = ['batch[].event', '[].event', 'event'];
  for (const first of ['"0":{"event":"c"}', '"\\u0030":[]', '"\u200b0":1', '"__proto__":{"0":{"event":"c"}}'])
    for (const own of ['"event":"a"', '"batch":[{"event":"a"}]'])
      for (const body of [`{${first},${own}}`, `{${own},${first}}`])
        t.equal(outcome(SHAPES, body), 'ambiguous_body', body);
  for (const shapes of [SHAPES, ['batch[].event', '[].event'], '[].event'])
    for (const body of ['{"0":{"event":"a"}}', '{"0":{"event":"c"},"1":{"event":"c"}}'])
      t.not(outcome(shapes, body), 'same', body);
  t.equal(outcome(SHAPES, '{"event":"a","00":1,"10":1,"properties":{"0":1}}'), 'same', 'no first item of a list');
  t.equal(outcome(['batch[].event', 'event'], '{"event":"a","0":1}'), 'same', 'no list is looked for');
});

void t.test('items of other kinds', async (t) => {
  const rule = { when: { member: 'type', is: ['track'], pass: ['page', 'identify'] } };
  const batch = (items: string): string => outcome('[].name', `[${items}]`, rule);
  t.equal(batch('{"type":"page"},{"type":"track","name":"a"},{"type":"identify","name":"c"}'), 'same');
  t.equal(batch('{"type":"page"},{"type":"track","name":"c"},{"type":"alias"},{"name":"a"}'), '[{"type":"page"}]');
  t.equal(batch('{"type":"alias"}'), 'event_not_allowed');
  const single = (body: string): string => outcome(['batch[].name', 'name'], body, rule);
  t.equal(single('{"type":"identify","traits":{}}'), 'same');
  t.equal(single('{"type":"track","name":"a"}'), 'same');
  for (const body of ['{"type":"track"}', '{"name":"a"}', '{"type":"other","name":"a"}'])
    t.equal(single(body), 'event_not_allowed', body);
  t.equal(single('{"type":"identify","batch":[{"type":"track","name":"c"}]}'), 'event_not_allowed', 'it is a batch');
  t.equal(single('{"type":"identify","type":"track","name":"a"}'), 'ambiguous_body');
});

void t.test('JSON that is other JSON in base64, where the backend reads that', async (t) => {
  const hidden = Buffer.from('{"name":"c","x":"').toString('base64');
  const body = `{"${hidden}":1,"name":"a"}`;
  t.same([outcome('name', body, { base64: true }), outcome('name', body)], ['ambiguous_body', 'same']);
  const cut = `{"events":[{"name":"c"},{"${hidden}":1,"name":"a"}]}`;
  t.equal(outcome('events[].name', cut, { base64: true }), '{"events":[{"' + hidden + '":1,"name":"a"}]}');
  t.equal(
    outcome('[].name', `[{"x":1,"name":"c"},{"${hidden}":1,"name":"a"}]`, { base64: true }),
    'ambiguous_body',
    'as it is left',
  );
});

void t.test('what is wrong first in this order is what is said: JSON, ambiguity, shape, names', async (t) => {
  t.equal(outcome('[].name', '[{"NAME":1},1,{"name":"c"}'), 'invalid_json');
  t.equal(outcome('[].name', '[{"name":"c"},1,{"NAME":1}]'), 'ambiguous_body');
  t.equal(outcome('[].name', '[{"name":"c"},1]'), 'invalid_event_body');
  t.equal(outcome('name', '{"name":"c","name":"c"}'), 'ambiguous_body');
  t.equal(outcome('events[].name', '{"events":1'), 'invalid_json');
});

void t.test('what is no JSON in UTF-8', async (t) => {
  const good = '{"name":"a"}';
  const refused: readonly (string | Buffer)[] = [
    '',
    ' ',
    `${good}x`,
    `${good}${good}`,
    `${good}\0`,
    `\ufeff${good}`,
    '{"name":"a",}',
    '{"name":"a","x":01}',
    "{'name':'a'}",
    '{"name":"a"',
    '{"name":"a","x":"\t"}',
    Buffer.from(good, 'utf16le'),
    Buffer.from(good, 'utf16le').swap16(),
    Buffer.from(`\ufeff${good}`, 'utf16le'),
    Buffer.from('{"name":"a","x":"\xff"}', 'latin1'),
    Buffer.from('{"name":"a","x":"\xc0\xaf"}', 'latin1'),
    Buffer.from('{"name":"a","x":"\xed\xa0\x80"}', 'latin1'),
    Buffer.from('{"name":"a","n\xe1me":"c"}', 'latin1'),
    Buffer.from('{"name":"a","x":"\xe9\xa0"}', 'latin1'),
  ];
  for (const body of refused) {
    t.equal(outcome('name', body), 'invalid_json', JSON.stringify(body.toString()));
    t.equal(outcome('events[].name', body), 'invalid_json', JSON.stringify(body.toString()));
  }
});

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

void t.test('nesting counts from the top of the body', async (t) => {
  t.equal(outcome('name', `{"name":"a","x":${nested(63)}}`), 'same');
  t.equal(outcome('name', `{"name":"a","x":${nested(64)}}`), 'invalid_json');
  t.equal(outcome('[].name', `[{"name":"a","x":${nested(62)}}]`), 'same');
  t.equal(outcome('[].name', `[{"name":"a","x":${nested(63)}}]`), 'invalid_json');
  t.equal(outcome('events[].name', `{"events":[{"name":"a","x":${nested(61)}}]}`), 'same');
  t.equal(outcome('events[].name', `{"events":[{"name":"a","x":${nested(62)}}]}`), 'invalid_json');
  t.equal(outcome('events[].name', `{"events":[{"name":${nested(62)}}]}`), 'invalid_json');
  t.equal(outcome('events[].name', `{"x":${nested(64)},"events":[]}`), 'invalid_json');
  t.equal(outcome('events[].name', nested(100_000)), 'invalid_json');
});

void t.test('refusals say nothing of the body', async (t) => {
  for (const body of ['{"name":"tell-tale"}', '{"name":"a","NAME":"tell-tale"}', '["tell-tale"]', '{"tell-tale"}']) {
    const result = filter('name', body);
    t.notOk(result.ok);
    if (!result.ok) t.notMatch(result.refusal.why, 'tell-tale');
  }
});

void t.test('a filter keeps nothing of a body', async (t) => {
  const run = compileEventFilter({ ...RULE, selectors: [parseSelector('events[].name') as EventSelector] });
  const cut = Buffer.from('{"events":[{"name":"a"},{"name":"c"}]}');
  const first = run(cut);
  for (const body of ['{"events":[{"NAME":1},2]}', '{"events":[{"name":"c"}', 'x', '{"events":[]}'])
    run(Buffer.from(body));
  t.strictSame(run(cut), first);
});

void t.test('any case from a tape is judged as the oracle judges it', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tape) => {
        const eventCase = eventCaseFrom(tape);
        try {
          checkCase(eventCase);
        } catch (cause) {
          throw new Error(describe(eventCase), { cause });
        }
      }),
      { numRuns: 500 },
    ),
  );
});

void t.test('so are many more, and every outcome comes up', async (t) => {
  const outcomes = runEventFuzz({ cases: 10_000 });
  for (const outcome of ['whole', 'cut', 'event_not_allowed', 'ambiguous_body', 'invalid_event_body', 'invalid_json'])
    t.ok((outcomes.get(outcome) ?? 0) > 200, outcome);
});

void t.test('a batch has beside it nothing that stands where the events of its items do', async (t) => {
  const filter = compileEventFilter({
    selectors: [parseSelector('batch[].payload.name') as EventSelector],
    allowed: new Set(['a']),
    onDisallowed: 'remove',
    unnamed: 'disallow',
  });
  const verdict = (body: string) => {
    const result = filter(Buffer.from(body));
    return result.ok ? 'ok' : result.refusal.code;
  };
  t.equal(verdict('{"batch":[{"payload":{"name":"a"}}],"other":{"name":"b"}}'), 'ok');
  for (const beside of ['"payload":{"name":"b"}', '"Payload":{"name":"b"}', '"name":"b"'])
    for (const batch of ['[]', '[{"payload":{"name":"a"}}]'])
      for (const body of [`{"batch":${batch},${beside}}`, `{${beside},"batch":${batch}}`])
        t.equal(verdict(body), 'ambiguous_body', body);
});
