/** Without an export of its own, Postern has no part in traces: their fields pass as they came, and the log names the trace. */
import t from 'tap';
import { startFlow, written } from '../support/flow.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

t.test('fields of traces pass as they came, also those that are of no form', async (t) => {
  const { backend, postern, raw } = await startFlow(t, { log: { requests: 'all' } });
  const lists = [
    ['traceparent', `00-${TRACE}-00f067aa0ba902b7-01`, 'tracestate', 'a=1,b=2'],
    ['TRACEPARENT', 'nothing of the kind', 'TraceState', '', 'tracestate', 'c=3'],
    ['traceparent', 'one', 'traceparent', 'two'],
  ];
  for (const [i, list] of lists.entries()) {
    const fields = list.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${list[at + 1]}`] : []));
    await raw(written({ fields }));
    const sent = backend.requests[i]?.rawHeaders ?? [];
    const ofTraces = sent.filter((_, at) => /^trace/i.test(sent[at - (at % 2)] ?? ''));
    t.same(ofTraces, list);
  }
  t.same(
    postern.lines.filter(({ msg }) => msg === 'request').map(({ traceId }) => traceId),
    [TRACE, undefined, undefined],
  );
});
