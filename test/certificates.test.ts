import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createCertificates } from '../src/certificates.ts';
import type { TlsPlace } from '../src/config/tls-files.ts';

const fixture = (name: string): string => join(process.cwd(), `test/fixtures/tls/${name}.pem`);

function reading(t: Test, name = 'listen', clientCa = false) {
  const folder = t.testdir({});
  const at = (file: string): string => join(folder, file);
  const put = (cert: string, key: string): void => {
    copyFileSync(fixture(cert), at('cert'));
    copyFileSync(fixture(key), at('key'));
  };
  put('cert', 'key');
  if (clientCa) copyFileSync(fixture('other-client-ca'), at('ca'));
  const place: TlsPlace = {
    name,
    path: [name, 'tls'],
    caField: 'clientCaFile',
    caFile: clientCa ? at('ca') : null,
    certFile: at('cert'),
    keyFile: at('key'),
  };
  const lines: (readonly [string, Readonly<Record<string, unknown>> | undefined])[] = [];
  const write = (event: string, fields?: Readonly<Record<string, unknown>>) => void lines.push([event, fields]);
  const ports = { log: { info: write, error: write }, now: () => Date.parse('2026-06-01') };
  const certificates = createCertificates([place], ports);
  const shown: unknown[] = [];
  certificates.follow(name, (texts) => shown.push(texts));
  const again = (): unknown => {
    certificates.read([place]).use();
    return certificates.of(name);
  };
  return { certificates, place, ports, again, put, at, lines, shown };
}

t.test('the same texts are the same object, and nothing is told', async (t) => {
  const { certificates, again, lines, shown } = reading(t);
  const first = certificates.of('listen');
  t.equal(again(), first);
  t.same([lines, shown], [[], []]);
  t.match(certificates.ofPorts(), [{ name: 'listen', expiresAt: Date.parse('2126-10-31T04:00:52Z'), isCurrent: true }]);
});

t.test('a renewed pair is shown, and its end is told', async (t) => {
  const { certificates, again, put, lines, shown } = reading(t);
  put('renewed', 'renewed-key');
  const next = again();
  t.same(shown, [next]);
  t.match(lines, [['certificate_renewed', { use: 'listen', detail: 'it expires on 2125-01-01T00:00:00.000Z' }]]);
  t.match(certificates.ofPorts(), [{ expiresAt: Date.parse('2125-01-01T00:00:00Z'), isCurrent: true }]);
});

t.test('whatever cannot be used leaves the last ones, until the files are right', async (t) => {
  const { certificates, again, put, at, lines, shown } = reading(t);
  const first = certificates.of('listen');
  for (const [spoil, why] of [
    [() => put('renewed', 'key'), /^listen\.tls\.keyFile is not the private key/],
    [() => put('cert', 'renewed-key'), /^listen\.tls\.keyFile is not the private key/],
    [() => put('expired', 'expired-key'), /^listen\.tls\.certFile names a certificate that expired on 2021/],
    [() => put('expired', 'key'), /^listen\.tls\.keyFile is not the private key [^;]*; the last ones stay in use$/],
    [() => put('cut-short', 'key'), /^listen\.tls\.certFile names a file that is cut short/],
    [() => writeFileSync(at('key'), ''), /listen\.tls\.keyFile names a file that holds no unencrypted private key/],
    [() => rmSync(at('cert')), /^listen\.tls\.certFile names a file that cannot be read/],
  ] as const) {
    spoil();
    t.equal(again(), first);
    t.match(lines.at(-1), ['certificate_kept', { use: 'listen', detail: why }]);
    t.match(certificates.ofPorts(), [{ isCurrent: false, expiresAt: Date.parse('2126-10-31T04:00:52Z') }]);
    t.equal(certificates.backendsAreCurrent(), true, 'which are none of theirs');
  }
  put('cert', 'key');
  t.equal(again(), first, 'back to what it was');
  t.match(certificates.ofPorts(), [{ isCurrent: true }]);
  const restored = ['certificate_renewed', { use: 'listen', detail: 'the files hold what is in use again' }];
  t.match(lines.slice(7), [restored]);
  again();
  t.equal(lines.length, 8, 'which is said once');
  t.same(shown, []);
});

t.test('authorities are read again, and kept when they are broken', async (t) => {
  const { certificates, again, at, shown, lines } = reading(t, 'listen', true);
  copyFileSync(fixture('cut-short'), at('ca'));
  again();
  t.match(lines, [['certificate_kept', { detail: /^listen\.tls\.clientCaFile names a file that is cut short/ }]]);
  t.same(shown, []);
  copyFileSync(fixture('renewed'), at('ca'));
  t.equal(again(), certificates.of('listen'));
  t.match(lines.at(-1), ['certificate_renewed', { use: 'listen', detail: 'the authorities changed' }]);
  t.equal(shown.length, 1, 'also beside a certificate that is not valid yet, which is in use');
});

t.test('what was never good is an error that names the field, and changes nothing', async (t) => {
  const { certificates, place, ports, at, shown } = reading(t);
  const first = certificates.of('listen');
  const broken = { ...place, keyFile: at('none') };
  t.throws(() => certificates.read([broken]), /^listen\.tls\.keyFile names a file that cannot be read/);
  t.throws(() => createCertificates([broken], ports), /listen\.tls\.keyFile/);
  t.equal(certificates.of('listen'), first);
  t.same(shown, []);
});

t.test('at the start, one that has expired is better than none', async (t) => {
  const { place, ports, at } = reading(t, 'listen', true);
  const expired = { ...place, certFile: fixture('expired'), keyFile: fixture('expired-key') };
  const certificates = createCertificates([expired], ports);
  t.match(certificates.ofPorts(), [{ expiresAt: Date.parse('2021-01-01T00:00:00Z'), isCurrent: true }]);
  const ca = at('ca');
  const asking = createCertificates([{ ...expired, caFile: ca }], ports);
  copyFileSync(fixture('renewed'), ca);
  const next = asking.read([{ ...expired, caFile: ca }]);
  t.not(next.of('listen'), asking.of('listen'), 'and keeps no change of the authorities out');
});

/** Time passes when the test says so. */
function held(t: Test) {
  const timers = new Map<object, { readonly run: () => void; readonly ms: number }>();
  t.intercept(globalThis, 'setTimeout', {
    value: (run: () => void, ms: number) => {
      const timer = { unref: () => timer };
      timers.set(timer, { run, ms });
      return timer;
    },
  });
  t.intercept(globalThis, 'clearTimeout', { value: (timer: object) => timers.delete(timer) });
  const pauses = (): number[] => [...timers.values()].map(({ ms }) => ms);
  return { pauses, pass: () => [...timers.values()].forEach(({ run }) => run()) };
}

t.test('one that is not valid yet waits for its time, and is then shown without anybody asking', async (t) => {
  const { place, ports, put, at, lines } = reading(t);
  const { pauses, pass } = held(t);
  const start = Date.parse('2020-01-01T00:00:00Z');
  let now = start - 30 * 86_400_000;
  const certificates = createCertificates([place], { ...ports, now: () => now });
  const first = certificates.of('listen');
  const shown: unknown[] = [];
  certificates.follow('listen', (texts) => shown.push(texts));
  t.equal(certificates.ofPorts()[0]?.isCurrent, true, 'at the start there is none that is better');
  t.same(pauses(), []);

  put('renewed', 'renewed-key');
  certificates.read([place]).use();
  const why =
    /^listen\.tls\.certFile names a certificate that is not valid before 2020-01-01T00:00:00\.000Z; the last ones/;
  t.match(lines, [['certificate_kept', { use: 'listen', detail: why }]]);
  t.match(certificates.ofPorts(), [{ isCurrent: false, expiresAt: Date.parse('2126-10-31T04:00:52Z') }]);
  t.same(pauses(), [86_400_000], 'a timer cannot wait for a month');
  now = start - 1;
  pass();
  t.same([certificates.of('listen') === first, pauses()], [true, [1000]]);
  now = start;
  pass();
  t.same(shown, [certificates.of('listen')]);
  t.match(certificates.ofPorts(), [{ isCurrent: true, expiresAt: Date.parse('2125-01-01T00:00:00Z') }]);
  t.match(lines.at(-1), ['certificate_renewed', { use: 'listen' }]);
  t.same(pauses(), []);

  now = start - 5000;
  put('other-client', 'other-client-key');
  certificates.read([place]).use();
  t.same(pauses(), [5000]);
  rmSync(at('cert'));
  certificates.read([place]).use();
  t.same(pauses(), [], 'nothing is waited for when the files have changed again');
});

t.test('what is read is not in use before it is said so', async (t) => {
  const { certificates, place, put, shown, lines } = reading(t);
  const first = certificates.of('listen');
  put('renewed', 'renewed-key');
  const next = certificates.read([place]);
  t.same([certificates.of('listen') === first, shown, lines], [true, [], []]);
  next.use();
  t.equal(certificates.of('listen'), next.of('listen'));
});

t.test('those for backends are no port, and count together', async (t) => {
  const { certificates, again, put } = reading(t, 'apis.orders');
  t.same([certificates.ofPorts(), certificates.backendsAreCurrent()], [[], true]);
  put('renewed', 'key');
  again();
  t.equal(certificates.backendsAreCurrent(), false);
  put('renewed', 'renewed-key');
  again();
  t.equal(certificates.backendsAreCurrent(), true);
});

t.test('a certificate is used until the moment in which it expires', async (t) => {
  const { place, ports, put } = reading(t);
  const end = Date.parse('2125-01-01T00:00:00Z');
  for (const [now, isCurrent] of [
    [end - 1, true],
    [end, false],
  ] as const) {
    put('cert', 'key');
    const certificates = createCertificates([place], { ...ports, now: () => now });
    put('renewed', 'renewed-key');
    certificates.read([place]).use();
    t.equal(certificates.ofPorts()[0]?.isCurrent, isCurrent, new Date(now).toISOString());
  }
});

t.test('the admin port is a port as well, and each place has certificates of its own', async (t) => {
  const { place, ports, at } = reading(t, 'admin');
  const backend: TlsPlace = { ...place, name: 'apis.orders', path: ['apis', 'orders', 'tls'], caFile: at('cert') };
  const certificates = createCertificates([place, backend], ports);
  t.same(
    certificates.ofPorts().map(({ name }) => name),
    ['admin'],
  );
  t.equal(certificates.of('admin').ca, null);
  t.ok(certificates.of('apis.orders').ca);
});

t.test('authorities alone are renewed too, without an end of their own', async (t) => {
  const { place, ports, at } = reading(t, 'apis.orders', true);
  const authorities: TlsPlace = { ...place, certFile: null, keyFile: null };
  const lines: unknown[] = [];
  const write = (event: string, fields?: object) => void lines.push([event, fields]);
  const certificates = createCertificates([authorities], { ...ports, log: { info: write, error: write } });
  copyFileSync(fixture('renewed'), at('ca'));
  certificates.read([authorities]).use();
  t.same(lines, [['certificate_renewed', { use: 'apis.orders', detail: 'the authorities changed' }]]);
  t.equal(certificates.backendsAreCurrent(), true);
});

t.test('other files than before have nothing to fall back on', async (t) => {
  const { certificates, place, at } = reading(t);
  copyFileSync(fixture('expired'), at('other'));
  copyFileSync(fixture('expired-key'), at('other-key'));
  const moved = { ...place, certFile: at('other'), keyFile: at('other-key') };
  const next = certificates.read([moved]);
  next.use();
  t.match(certificates.ofPorts(), [{ expiresAt: Date.parse('2021-01-01T00:00:00Z'), isCurrent: true }]);
  t.throws(() => certificates.read([{ ...place, caFile: at('none') }]), /listen\.tls\.clientCaFile/);
  t.throws(() => certificates.read([{ ...moved, certFile: at('none') }]), /listen\.tls\.certFile/);
  t.throws(() => certificates.read([{ ...moved, keyFile: at('none') }]), /listen\.tls\.keyFile/);
});
