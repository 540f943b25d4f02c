import t from 'tap';
import { traceIdIn } from '../../src/observability/trace-id.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

t.test('a traceparent of the form of its version has a trace id, and nothing else has one', (t) => {
  t.equal(traceIdIn(`00-${TRACE}-${PARENT}-01`), TRACE);
  t.equal(traceIdIn(`cc-${TRACE}-${PARENT}-00`), TRACE);
  t.equal(traceIdIn(`cc-${TRACE}-${PARENT}-00-what-later-versions-add`), TRACE);
  for (const odd of [
    undefined,
    '',
    `00-${TRACE}-${PARENT}-01-more`,
    `cc-${TRACE}-${PARENT}-01.more`,
    `ff-${TRACE}-${PARENT}-01`,
    `0-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}0-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-1`,
    ` 00-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
    `00-${TRACE.slice(1)}"-${PARENT}-01`,
  ])
    t.equal(traceIdIn(odd), null, String(odd));
  t.end();
});
