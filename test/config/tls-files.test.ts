import t from 'tap';
import { ConfigSchema } from '../../src/config/schema.ts';
import {
  expiryFindings,
  filesOfTls,
  textsOfTls,
  tlsFindings,
  tlsOfAdmin,
  tlsOfListen,
  tlsPlaces,
  type TlsPlace,
} from '../../src/config/tls-files.ts';

const config = (more: object) => ConfigSchema.parse({ apis: { orders: { upstream: 'https://a' } }, ...more });
const read = (place: TlsPlace) => tlsFindings(place, textsOfTls(place));
const pair = { certFile: 'test/fixtures/tls/cert.pem', keyFile: 'test/fixtures/tls/key.pem' };

t.test('every section has its place, ports only where they speak TLS', async (t) => {
  const plain = config({});
  t.same([tlsOfListen(plain), tlsOfAdmin(plain)], [null, null]);
  t.same(
    tlsPlaces(plain).map(({ name, path }) => [name, path]),
    [['apis.orders', ['apis', 'orders', 'tls']]],
  );
  const places = tlsPlaces(config({ listen: { tls: { ...pair, clientCaFile: 'ca' } }, admin: { tls: pair } }));
  t.same(
    places.map((place) => [place.name, place.path, filesOfTls(place)]),
    [
      ['listen', ['listen', 'tls'], ['ca', pair.certFile, pair.keyFile]],
      ['admin', ['admin', 'tls'], [pair.certFile, pair.keyFile]],
      ['apis.orders', ['apis', 'orders', 'tls'], []],
    ],
  );
});

t.test('a pair is judged whole, and authorities apart from it', async (t) => {
  const [place] = tlsPlaces(config({ listen: { tls: { ...pair, clientCaFile: 'none' } } }));
  if (place === undefined) throw new Error('no place');
  t.match(read(place), [{ path: ['listen', 'tls', 'clientCaFile'], message: /cannot be read: "none"$/ }]);
  const foreign = { ...place, keyFile: 'test/fixtures/tls/renewed-key.pem' };
  t.match(read(foreign), [
    { path: ['listen', 'tls', 'clientCaFile'] },
    { path: ['listen', 'tls', 'keyFile'], message: /is not the private key/ },
  ]);
  t.match(read({ ...foreign, certFile: 'none' }), [
    { path: ['listen', 'tls', 'clientCaFile'] },
    { path: ['listen', 'tls', 'certFile'] },
  ]);
  const nothing = { ...place, caFile: null, certFile: null, keyFile: null };
  t.same([textsOfTls(nothing), read(nothing)], [{ ca: null, cert: null, key: null }, []]);
});

t.test('a certificate that is not valid yet is told, and one that is is not', async (t) => {
  const [place] = tlsPlaces(config({ listen: { tls: pair } }));
  if (place === undefined) throw new Error('no place');
  const start = Date.parse('2026-11-24T04:00:52Z');
  const told = (now: number) => expiryFindings(place, textsOfTls(place), now);
  t.match(told(start - 1), [
    { path: ['listen', 'tls', 'certFile'], message: /not valid before 2026-11-24T04:00:52.000Z/ },
  ]);
  t.same(told(start), []);
});
