/**
 * What `listen` in the configuration means for the data port: its address, its certificate and whose PROXY headers it reads.
 * Decides nothing about a request.
 */
import { readFileSync } from 'node:fs';
import type { ListenConfig } from './config/schema.ts';
import { acceptProxyProtocol, type ProxyProtocol } from './data-port/proxy-protocol.ts';
import type { DataPort, DataPortSettings } from './data-port/server.ts';
import type { Log } from './observability/log.ts';
import { compileTrustedProxies, isTrustedProxy } from './policy/trusted-proxies.ts';

/** Throws when a file of the certificate cannot be read. */
export function dataPortSettings(listen: ListenConfig): DataPortSettings {
  const { tls } = listen;
  return {
    ...listen,
    address: listen.path === null ? { host: listen.host, port: listen.port } : { path: listen.path },
    tls: tls === null ? null : { cert: readFileSync(tls.certFile, 'utf8'), key: readFileSync(tls.keyFile, 'utf8') },
  };
}

/** Reads PROXY headers of trusted peers; null where `listen.proxyProtocol` is off. */
export function readProxyHeaders(dataPort: DataPort, listen: ListenConfig, log: Log): ProxyProtocol | null {
  if (!listen.proxyProtocol) return null;
  const trusted = compileTrustedProxies(listen.trustedProxies);
  return acceptProxyProtocol(dataPort.server, {
    isTrusted: (peer) => isTrustedProxy(peer, trusted),
    headerTimeout: listen.headersTimeoutSeconds * 1000,
    onRefused: (peer, why) => log.warn('proxy_header_refused', { peer, detail: why }),
  });
}
