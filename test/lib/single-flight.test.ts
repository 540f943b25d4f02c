import t from 'tap';
import { createSingleFlight, type IsLatest } from '../../src/lib/single-flight.ts';

interface ControlledCall {
  resolve: (value: string) => void;
  reject: (error: Error) => void;
  aborted: boolean;
  isLatest: IsLatest;
}

function controlled() {
  const calls: ControlledCall[] = [];
  const start = (isLatest: IsLatest) => {
    const at = calls.length;
    const result = new Promise<string>((resolve, reject) => {
      calls.push({ resolve, reject, aborted: false, isLatest });
    });
    return { result, abort: () => void ((calls[at] as ControlledCall).aborted = true) };
  };
  return { calls, start };
}

t.test('those who come while a call is under way share it, one of them leading', async (t) => {
  const { calls, start } = controlled();
  const flights = createSingleFlight<string>();
  const [first, second] = [flights.join('k', start), flights.join('k', start)];
  t.equal(calls.length, 1);
  t.same([first.leads, second.leads], [true, false]);
  flights.join('other', start);
  t.equal(calls.length, 2);
  calls[0]?.resolve('answer');
  t.same(await Promise.all([first.result, second.result]), ['answer', 'answer']);
  flights.join('k', start);
  t.equal(calls.length, 3, 'what has ended is not joined');
});

t.test('the call goes on as long as anybody waits, and is aborted with the last', async (t) => {
  const { calls, start } = controlled();
  const flights = createSingleFlight<string>();
  const [first, second] = [flights.join('k', start), flights.join('k', start)];
  first.leave();
  first.leave();
  t.equal(calls[0]?.aborted, false, 'leaving twice counts once');
  second.leave();
  t.equal(calls[0]?.aborted, true);
  flights.join('k', start);
  t.equal(calls.length, 2, 'an aborted call is not joined');
});

t.test('a failed call is shared and not kept', async (t) => {
  const { calls, start } = controlled();
  const flights = createSingleFlight<string>();
  const boardings = [flights.join('k', start), flights.join('k', start)];
  calls[0]?.reject(new Error('no'));
  for (const { result } of boardings) await t.rejects(result, /no/);
  t.equal(flights.join('k', start).leads, true);
});

t.test('a call that was overtaken knows it, also when the later one has ended first', async (t) => {
  const { calls, start } = controlled();
  const flights = createSingleFlight<string>();
  const old = flights.join('k', start);
  const recent = flights.lead('k', start);
  t.equal(calls.length, 2);
  t.same(
    calls.map((call) => call.isLatest()),
    [false, true],
  );
  t.equal(flights.join('k', start).leads, false, 'later ones join the later call');
  calls[1]?.resolve('new');
  await recent.result;
  await Promise.resolve();
  t.equal(calls[0]?.isLatest(), false);
  calls[0]?.resolve('old');
  t.equal(await old.result, 'old', 'it still answers those on board');
});

t.test('detached calls answer those on board and are not joined', async (t) => {
  const { calls, start } = controlled();
  const flights = createSingleFlight<string>();
  const before = flights.join('k', start);
  flights.detachAll();
  t.equal(calls[0]?.isLatest(), false);
  t.equal(flights.join('k', start).leads, true);
  calls[0]?.resolve('answer');
  t.equal(await before.result, 'answer');
});

t.test('an overtaken call that ends leaves the later one to be joined', async (t) => {
  for (const how of ['resolve', 'leave'] as const) {
    const { calls, start } = controlled();
    const flights = createSingleFlight<string>();
    const old = flights.join('k', start);
    flights.lead('k', start);
    if (how === 'leave') old.leave();
    else {
      calls[0]?.resolve('old');
      await old.result;
      await Promise.resolve();
    }
    t.equal(calls[1]?.isLatest(), true, how);
    t.equal(flights.join('k', start).leads, false, how);
  }
});

t.test('a call that asks for itself while it begins does not wait for itself', async (t) => {
  const { calls, start } = controlled();
  const flights = createSingleFlight<string>();
  const inner: boolean[] = [];
  flights.join('k', (isLatest) => {
    inner.push(flights.join('k', start).leads);
    return start(isLatest);
  });
  t.same(inner, [true]);
  t.equal(calls.length, 2);
});
