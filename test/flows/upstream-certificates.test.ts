import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import t from 'tap';
import { KEPT } from '../support/backend.ts';
import { SERVER_SECRET, startFlow } from '../support/flow.ts';
import { tlsFixture, tlsFolder, upstreamTlsFixture } from '../support/tls-files.ts';

const read = (file: string) => readFileSync(file);

t.test(
  'what Postern shows to a backend, and whom it believes there, is read again when the files change',
  async (t) => {
    const seen: unknown[] = [];
    const backend = https.createServer(
      {
        cert: read(tlsFixture('cert')),
        key: read(tlsFixture('key')),
        ca: [read(upstreamTlsFixture('client-ca')), read(tlsFixture('other-client-ca'))],
        ...KEPT,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (req, res) => {
        seen.push((req.socket as TLSSocket).getPeerCertificate().subject.CN);
        res.writeHead(204).end();
      },
    );
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    t.teardown(() => {
      backend.closeAllConnections();
      backend.close();
    });
    const files = tlsFolder(t);
    const show = (cert: string, key: string): void => {
      copyFileSync(cert, files.pair.certFile);
      copyFileSync(key, files.pair.keyFile);
    };
    const shown = () => postern.lines.filter(({ msg }) => msg === 'certificate_kept').map(({ use }) => use);
    show(upstreamTlsFixture('client'), upstreamTlsFixture('client-key'));
    copyFileSync(tlsFixture('cert'), files.at('ca'));
    const { postern } = await startFlow(t, {
      api: {
        upstream: `https://localhost:${(backend.address() as AddressInfo).port}`,
        tls: { ...files.pair, caFile: files.at('ca') },
      },
    });
    const ask = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${SERVER_SECRET}` };
      return (await fetch(`${postern.url}/profile/1`, { headers })).status;
    };
    const successful = () => postern.metric('postern_config_last_reload_successful');
    t.same([await ask(), seen.at(-1)], [204, 'postern']);

    show(tlsFixture('other-client'), tlsFixture('other-client-key'));
    while (!postern.lines.some(({ msg }) => msg === 'certificate_renewed'))
      await new Promise((resolve) => setTimeout(resolve, 10));
    t.same([await ask(), seen.at(-1)], [204, 'other'], 'without being told');

    for (const [cert, key] of [
      [tlsFixture('expired'), tlsFixture('expired-key')],
      [tlsFixture('cut-short'), tlsFixture('key')],
      [tlsFixture('cert'), tlsFixture('renewed-key')],
    ] as const) {
      show(cert, key);
      await postern.sidecar.reload();
      t.same([await ask(), seen.at(-1), shown().at(-1)], [204, 'other', 'apis.integration']);
      t.equal(await successful(), 0);
    }
    show(tlsFixture('other-client'), tlsFixture('other-client-key'));
    await postern.sidecar.reload();
    t.equal(await successful(), 1);

    copyFileSync(tlsFixture('renewed'), files.at('ca'));
    await postern.sidecar.reload();
    t.equal(await ask(), 502, 'authorities that do not know the backend any more');
    copyFileSync(tlsFixture('cut-short'), files.at('ca'));
    await postern.sidecar.reload();
    t.equal(await ask(), 502, 'and broken ones are not a reason to believe anybody');
    copyFileSync(tlsFixture('cert'), files.at('ca'));
    await postern.sidecar.reload();
    t.equal(await ask(), 204);
  },
);
