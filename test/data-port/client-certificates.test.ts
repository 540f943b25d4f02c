import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import t from 'tap';
import { watchClientCertificates } from '../../src/data-port/client-certificates.ts';
import { keyOf, tlsFixture, upstreamTlsFixture } from '../support/tls-files.ts';

const read = (file: string) => readFileSync(file);

t.test('who was refused, and why; a handshake that fails otherwise is none of it', async (t) => {
  const server = tls.createServer({
    cert: read(tlsFixture('cert')),
    key: read(keyOf('cert')),
    ca: read(upstreamTlsFixture('client-ca')),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const refused: string[] = [];
  watchClientCertificates(server, (peer, why) => refused.push(`${peer} ${why}`));
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const failed = async (connect: () => net.Socket): Promise<void> => {
    const told = once(server, 'tlsClientError');
    connect()
      .on('error', () => {})
      .resume();
    await told;
  };
  const trusting = { port, host: '127.0.0.1', servername: 'localhost', ca: read(tlsFixture('cert')) };
  await failed(() => tls.connect(trusting));
  const other = { cert: read(tlsFixture('other-client')), key: read(tlsFixture('other-client-key')) };
  await failed(() => tls.connect({ ...trusting, ...other }));
  await failed(() => net.connect(port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n'));
  t.match(refused, ['127.0.0.1 it showed none', /^127\.0\.0\.1 (UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED)/]);
});
