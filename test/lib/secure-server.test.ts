import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import { secureOptions, showCertificate } from '../../src/lib/secure-server.ts';
import { keyOf, shownBy, tlsFixture, type PairName } from '../support/tls-files.ts';

const textsOf = (name: PairName) => ({
  ca: null,
  cert: readFileSync(tlsFixture(name), 'utf8'),
  key: readFileSync(keyOf(name), 'utf8'),
});

t.test('clients are asked for a certificate where there are authorities for it, and never by the way', async (t) => {
  const { cert, key } = textsOf('cert');
  t.same(secureOptions({ ca: null, cert, key }), { cert, key, minVersion: 'TLSv1.2' });
  t.same(secureOptions({ ca: cert, cert, key }), {
    cert,
    key,
    ca: cert,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
});

t.test('the next handshake has the other certificate', async (t) => {
  const server = tls.createServer(secureOptions(textsOf('cert'))).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.equal(await shownBy(port), 'cert');
  showCertificate(server, textsOf('renewed'));
  t.equal(await shownBy(port), 'renewed');
});

t.test('a server without TLS has none', async (t) => {
  t.throws(() => showCertificate(net.createServer(), textsOf('cert')), /only a server that speaks TLS/);
});
