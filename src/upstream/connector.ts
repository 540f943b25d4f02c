/**
 * Connects to one backend: finds its address anew for each connection, tries what it finds, speaks TLS where the settings say
 * so, and all of it within one time. Knows nothing of requests; whom it trusts comes from the settings alone.
 */
import { isIP, type Socket } from 'node:net';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { coded, connectTo } from '../lib/connect.ts';
import type { Lookup } from '../lib/lookup.ts';
import { connectToSocket } from '../lib/unix-socket.ts';
import { withoutFinalDot, type Target } from './target.ts';

/** Whom an https:// backend has to be, and who Postern is to it. Certificates and keys are PEM texts. */
export interface TlsSettings {
  /** The authorities that may sign the backend's certificate; null: those that Node trusts. */
  readonly ca: string | null;
  readonly insecureSkipVerify: boolean;
  /** Sent as SNI and expected in the certificate, in place of the host. */
  readonly serverName: string | null;
  /** With `key`, shown to a backend that asks for it. */
  readonly cert: string | null;
  readonly key: string | null;
}

export interface ConnectorSettings {
  readonly target: Target;
  readonly timeoutMs: number;
  readonly tls: TlsSettings;
}

/** How much Node reads of a connection ahead of whoever takes it; TLS records hold no more than that. */
const PLAIN_READ_AHEAD = 64 * 1024;
const TLS_READ_AHEAD = 16 * 1024;
const KEEP_ALIVE_PROBE_MS = 60_000;

/** Opens a new connection. Rejects with an error that has the `code` of what went wrong. */
export type Connector = () => Promise<Socket>;

/** @throws Error when a certificate or key cannot be used. */
export function createConnector({ target, timeoutMs, tls: settings }: ConnectorSettings, lookup: Lookup): Connector {
  return target.kind === 'socket' ? toSocket(target.path, timeoutMs) : toHost(target, timeoutMs, settings, lookup);
}

const toSocket = (path: string, timeoutMs: number) => (): Promise<Socket> =>
  connectToSocket({ path, timeoutMs, highWaterMark: PLAIN_READ_AHEAD });

type HostTarget = Extract<Target, { readonly kind: 'host' }>;

function toHost(target: HostTarget, timeoutMs: number, settings: TlsSettings, lookup: Lookup): Connector {
  const { host, port, secure } = target;
  const secured = secure ? createTlsClient(withoutFinalDot(host), settings) : null;
  return async () => {
    const deadline = performance.now() + timeoutMs;
    const socket = await connectTo(lookup, { host, port, timeoutMs, highWaterMark: PLAIN_READ_AHEAD }).socket;
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
    return secured === null ? socket : secured(socket, deadline - performance.now());
  };
}

type Secure = (socket: Socket, timeoutMs: number) => Promise<TLSSocket>;

function createTlsClient(host: string, { ca, cert, key, insecureSkipVerify, serverName }: TlsSettings): Secure {
  const name = serverName ?? (isIP(host) === 0 ? host : null);
  const options: ConnectionOptions & { readonly highWaterMark: number } = {
    host,
    rejectUnauthorized: !insecureSkipVerify,
    ALPNProtocols: ['http/1.1'],
    highWaterMark: TLS_READ_AHEAD,
    // Read here, once: what cannot be used is found before anything connects.
    secureContext: tls.createSecureContext({
      ...(ca !== null && { ca }),
      ...(cert !== null && { cert }),
      ...(key !== null && { key }),
    }),
    // A numeric address is not sent as a name (RFC 6066 3).
    ...(name === null ? {} : { servername: name }),
  };
  let session: Buffer | undefined;
  return (socket, timeoutMs) =>
    new Promise((resolve, reject) => {
      const secured = tls.connect({ ...options, socket, ...(session === undefined ? {} : { session }) });
      const late = setTimeout(() => secured.destroy(tooLate(host)), timeoutMs);
      const failed = (error: Error): void => {
        clearTimeout(late);
        session = undefined;
        reject(error);
      };
      secured.on('session', (latest) => (session = latest));
      secured.once('error', failed);
      secured.once('secureConnect', () => {
        clearTimeout(late);
        secured.off('error', failed);
        resolve(secured);
      });
    });
}

const tooLate = (host: string): Error => coded('ETIMEDOUT', `the TLS handshake with ${host} took too long`);
