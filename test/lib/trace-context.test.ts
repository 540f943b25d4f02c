import fc from 'fast-check';
import t from 'tap';
import { readTraceparent, writeTraceparent } from '../../src/lib/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const parent = { traceId: TRACE, spanId: CALLER, sampled: true };

t.test('a traceparent of the form of its version says its parts, and nothing else does', (t) => {
  t.same(readTraceparent(`00-${TRACE}-${CALLER}-01`), parent);
  t.same(readTraceparent(`00-${TRACE}-${CALLER}-00`), { ...parent, sampled: false });
  t.same(readTraceparent(`cc-${TRACE}-${CALLER}-03`), parent);
  t.same(readTraceparent(`cc-${TRACE}-${CALLER}-01-what-later-versions-add`), parent);
  for (let flags = 0; flags < 256; flags++) {
    const text = flags.toString(16).padStart(2, '0');
    t.equal(readTraceparent(`00-${TRACE}-${CALLER}-${text}`)?.sampled, flags % 2 === 1, text);
  }
  for (const odd of [
    undefined,
    '',
    `00-${TRACE}-${CALLER}-01-more`,
    `cc-${TRACE}-${CALLER}-01.more`,
    `ff-${TRACE}-${CALLER}-01`,
    `0-${TRACE}-${CALLER}-01`,
    `00-${'0'.repeat(32)}-${CALLER}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${CALLER}-01`,
    `00-${TRACE}0-${CALLER}-01`,
    `00-${TRACE}-${CALLER}-1`,
    ` 00-${TRACE}-${CALLER}-01`,
    `00-${TRACE}-${CALLER}-01, 00-${TRACE}-${CALLER}-01`,
    `cc-${TRACE}-${CALLER}-01-more, 00-${TRACE}-${CALLER}-01`,
    `00-${TRACE.slice(1)}"-${CALLER}-01`,
  ])
    t.equal(readTraceparent(odd), null, String(odd));
  t.end();
});

t.test('what is written is read as it was', (t) => {
  const digits = (length: number) =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => /[1-9a-f]/.test(text));
  fc.assert(
    fc.property(digits(32), digits(16), fc.boolean(), (traceId, spanId, sampled) => {
      const made = { traceId, spanId, sampled };
      t.same(readTraceparent(writeTraceparent(made)), made);
    }),
    { numRuns: 50 },
  );
  t.end();
});
