import { constants } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import { secureOptions, showCertificate } from '../../src/lib/secure-server.ts';
import { keyOf, shownBy, tlsFixture, upstreamTlsFixture, type PairName } from '../support/tls-files.ts';

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
    secureOptions: constants.SSL_OP_NO_TICKET,
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

t.test('a certificate of a client is looked at in every handshake, that of the server in the first', async (t) => {
  const client = {
    cert: readFileSync(upstreamTlsFixture('client')),
    key: readFileSync(upstreamTlsFixture('client-key')),
  };
  const ca = readFileSync(upstreamTlsFixture('client-ca'), 'utf8');
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const [texts, resumed] of [
      [textsOf('cert'), true],
      [{ ...textsOf('cert'), ca }, false],
    ] as const) {
      const server = tls.createServer(secureOptions(texts), (socket) => socket.end('.')).listen(0, '127.0.0.1');
      t.teardown(() => server.close());
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const options = { port, host: '127.0.0.1', maxVersion, rejectUnauthorized: false, ...client };
      const sessions: Buffer[] = [];
      const first = tls.connect(options).on('session', (session: Buffer) => sessions.push(session));
      await once(first.resume(), 'close');
      const second = tls.connect({ ...options, session: sessions.at(-1) });
      await once(second.resume(), 'secureConnect');
      t.equal(second.isSessionReused(), resumed, `${maxVersion} ${resumed}`);
      second.destroy();
    }
});
