/**
 * What `listen` and `admin` in the configuration mean for the two ports: addresses, certificates, whose PROXY headers are read, and
 * what to do when one cannot be opened. Decides nothing about a request.
 */
import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import type { Certificates } from './certificates.ts';
import type { ListenConfig } from './config/schema.ts';
import { watchClientCertificates } from './data-port/client-certificates.ts';
import { acceptProxyProtocol, type ProxyProtocol } from './data-port/proxy-protocol.ts';
import { createDataPort, type DataPort } from './data-port/server.ts';
import { showCertificate } from './lib/secure-server.ts';
import { within } from './lib/waiting.ts';
import type { Log } from './observability/log.ts';
import { compileTrustedProxies, isTrustedProxy } from './policy/trusted-proxies.ts';

/** The data port, not yet open. Its certificate is the one in use. */
export function makeDataPort(listen: ListenConfig, certificates: Certificates, log: Log): DataPort {
  const dataPort = createDataPort({
    ...listen,
    address: listen.path === null ? { host: listen.host, port: listen.port } : { path: listen.path },
    tls: listen.tls && certificates.of('listen'),
  });
  certificates.follow('listen', (texts) => showCertificate(dataPort.server, texts));
  if (listen.tls !== null && listen.tls.clientCaFile !== null)
    watchClientCertificates(dataPort.server, (peer, why) =>
      log.warn('client_certificate_refused', { peer, detail: why }),
    );
  return dataPort;
}

/** Of clients at this moment, as `listen.maxConnections` counts them. */
export const openConnections = (server: Server): Promise<number> =>
  new Promise((resolve) => server.getConnections((error, count) => resolve(error === null ? count : 0)));

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

/** Where a port is opened; null: it is a socket. */
interface Place {
  readonly host: string | null;
  readonly port: number | null;
}

/** Opens a port. @throws Error that names the field, its value and what to do */
export async function openPort<P extends Place, T>(
  section: 'listen' | 'admin',
  { host, port }: P,
  open: (at: Pick<P, 'host' | 'port'>) => Promise<T>,
): Promise<T> {
  try {
    return await open({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const cure = code === undefined ? undefined : CURES[code];
    if (host === null || cure === undefined) throw error;
    const value = cure.field === 'port' ? `${host}:${port}` : JSON.stringify(host);
    throw new Error(`${section}.${cure.field} cannot be used (${code}): ${cure.why}: ${value}`, { cause: error });
  }
}

const NO_ADDRESS = {
  field: 'host',
  why: 'this machine has no such address; name one that it has, or 0.0.0.0 for all',
} as const;

const CURES: Readonly<Record<string, { readonly field: 'host' | 'port'; readonly why: string }>> = {
  EADDRINUSE: {
    field: 'port',
    why: 'another process, or the other port of this one, listens there; stop it or choose another port',
  },
  EACCES: {
    field: 'port',
    why: 'this user may not listen there; choose a port from 1024 on, or give the process CAP_NET_BIND_SERVICE',
  },
  EADDRNOTAVAIL: NO_ADDRESS,
  ENOTFOUND: NO_ADDRESS,
  EAI_AGAIN: NO_ADDRESS,
  EAFNOSUPPORT: NO_ADDRESS,
  ENOTSUP: { field: 'port', why: 'this system shares no port between processes; set `listen.reusePort: false`' },
};

export interface Closing {
  /** How long requests under way may take to end; then their connections are cut. */
  readonly graceMs: number;
  /** A clock in milliseconds that never goes back. */
  readonly monotonic: () => number;
  /** Closes everything; told is how much time is left for it. */
  readonly closeAll: (leftMs: () => number) => Promise<void>;
}

/** How long after its grace a shutdown waits for what does not close, such as a Redis that hangs. */
const UNCLOSED_MS = 1000;

/** Whether all was closed in time. What cannot be cut is left. */
export async function closeInTime(server: HttpServer, { graceMs, monotonic, closeAll }: Closing): Promise<boolean> {
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  const end = monotonic() + graceMs + UNCLOSED_MS / 2;
  const inTime = await within(
    graceMs + UNCLOSED_MS,
    closeAll(() => end - monotonic()),
  );
  clearTimeout(force);
  return inTime;
}
