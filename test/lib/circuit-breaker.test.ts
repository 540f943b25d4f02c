import t from 'tap';
import { createCircuitBreaker, inTime } from '../../src/lib/circuit-breaker.ts';

const failing = async (): Promise<never> => {
  throw new Error('broken');
};

t.test('while one call tries whether the service is back, the end of an older one lets no other try', async (t) => {
  const breaker = createCircuitBreaker({ timeoutMs: 60_000, retryAfterMs: 0 });
  let fail: (error: Error) => void = () => undefined;
  let succeed: () => void = () => undefined;
  const ended = t.rejects(breaker.run(() => new Promise((_resolve, reject) => (fail = reject))));
  breaker.trip('why');
  t.ok(breaker.permits);
  const tried = breaker.run(() => new Promise<void>((resolve) => (succeed = resolve)));
  t.notOk(breaker.permits);
  fail(new Error('late'));
  await ended;
  t.notOk(breaker.permits);
  succeed();
  await tried;
  t.ok(breaker.permits);
});

t.test('closed: calls go through', async (t) => {
  const breaker = createCircuitBreaker({ timeoutMs: 1000, retryAfterMs: 1000 });
  t.ok(breaker.permits);
  t.equal(await breaker.run(async () => 7), 7);
  t.ok(breaker.permits);
});

t.test('a failure opens it, with its reason, once', async (t) => {
  const changes: unknown[] = [];
  const breaker = createCircuitBreaker({
    timeoutMs: 1000,
    retryAfterMs: 60_000,
    onChange: (open, why) => changes.push([open, why]),
  });
  await t.rejects(breaker.run(failing), { message: 'broken' });
  t.notOk(breaker.permits);
  breaker.trip('again');
  t.same(changes, [[true, 'broken']]);
});

t.test('a call that takes too long is a failure', async (t) => {
  const breaker = createCircuitBreaker({ timeoutMs: 1, retryAfterMs: 60_000 });
  await t.rejects(
    breaker.run(() => new Promise(() => undefined)),
    { message: 'no answer within 1 ms' },
  );
  t.notOk(breaker.permits);
});

t.test('then one caller at a time tries, until one succeeds', async (t) => {
  const changes: boolean[] = [];
  const breaker = createCircuitBreaker({
    timeoutMs: 60_000,
    retryAfterMs: 0,
    onChange: (open) => changes.push(open),
  });
  breaker.trip('down');
  t.ok(breaker.permits);
  let answer: (value: string) => void = () => undefined;
  const trial = breaker.run(() => new Promise<string>((resolve) => (answer = resolve)));
  t.notOk(breaker.permits, 'the others do not wait with it');
  answer('up');
  t.equal(await trial, 'up');
  t.ok(breaker.permits);
  t.same(changes, [true, false]);
});

t.test('an answer in time is passed on, an error as well', async (t) => {
  t.equal(await inTime(Promise.resolve(1), 1000), 1);
  await t.rejects(inTime(failing(), 1000), { message: 'broken' });
});

t.test('a call that was under way and succeeds closes it at once', async (t) => {
  const breaker = createCircuitBreaker({ timeoutMs: 60_000, retryAfterMs: 60_000 });
  let answer: () => void = () => undefined;
  const call = breaker.run(() => new Promise<void>((resolve) => (answer = resolve)));
  breaker.trip('another one failed');
  t.notOk(breaker.permits);
  answer();
  await call;
  t.ok(breaker.permits);
});

t.test('a trial that fails leaves the service alone for as long again', async (t) => {
  const breaker = createCircuitBreaker({ timeoutMs: 60_000, retryAfterMs: 60_000 });
  await t.rejects(breaker.run(failing));
  await t.rejects(breaker.run(failing), 'a caller may insist');
  t.notOk(breaker.permits);
  await breaker.run(async () => undefined);
  t.ok(breaker.permits);
});

t.test('no timer is left of a call that was answered', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  await inTime(Promise.resolve(), 60_000);
  await t.rejects(inTime(failing(), 60_000));
  await new Promise(setImmediate);
  t.equal(timers(), before);
});

t.test('after a trial, whether it succeeded or not, the next one may try', async (t) => {
  const breaker = createCircuitBreaker({ timeoutMs: 60_000, retryAfterMs: 0 });
  await t.rejects(breaker.run(failing));
  await t.rejects(breaker.run(failing));
  t.ok(breaker.permits);
  await breaker.run(async () => undefined);
  breaker.trip('down again');
  t.ok(breaker.permits);
});
