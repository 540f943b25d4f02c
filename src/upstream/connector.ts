/**
 * Connects to one backend: finds its address anew for each connection, tries what it finds, speaks TLS where the settings say
 * so, and all of it within one time. Knows nothing of requests; whom it trusts comes from the settings alone.
 */
import { readFileSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { callbackify } from 'node:util';
import type { buildConnector } from 'undici';
import { connectTo } from '../lib/connect.ts';
import type { Lookup } from '../lib/lookup.ts';

export interface ConnectorSettings {
  /** Scheme, host and port; the host may have a final dot. */
  readonly url: URL;
  readonly timeoutMs: number;
  readonly tls: {
    readonly caFile: string | null;
    readonly insecureSkipVerify: boolean;
    readonly serverName: string | null;
  };
}

/** How much Node reads of a connection ahead of whoever takes it; TLS records hold no more than that. */
const PLAIN_READ_AHEAD = 64 * 1024;
const TLS_READ_AHEAD = 16 * 1024;
const KEEP_ALIVE_PROBE_MS = 60_000;

/** @throws Error when the CA file cannot be read. */
export function createConnector({ url, timeoutMs, tls: trust }: ConnectorSettings, lookup: Lookup): Connector {
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  const secured = secure ? createTlsClient(withoutFinalDot(host), trust) : null;

  const connect = async (): Promise<Socket> => {
    const deadline = performance.now() + timeoutMs;
    const socket = await connectTo(lookup, { host, port, timeoutMs, highWaterMark: PLAIN_READ_AHEAD }).socket;
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
    return secured === null ? socket : secured(socket, deadline - performance.now());
  };
  const connectWith = callbackify(connect);
  return (_target, callback) => {
    connectWith((error, socket) => (error ? callback(error, null) : callback(null, socket)));
  };
}

export type Connector = buildConnector.connector;

/** A name is the same with and without it; neither a certificate nor a Host is written with it (RFC 6066 3). */
export function withoutFinalDot(host: string): string {
  return host.replace(/\.$/, '');
}

type Secure = (socket: Socket, timeoutMs: number) => Promise<TLSSocket>;

function createTlsClient(host: string, { caFile, insecureSkipVerify, serverName }: ConnectorSettings['tls']): Secure {
  const name = serverName ?? (isIP(host) === 0 ? host : null);
  const options: ConnectionOptions & { readonly highWaterMark: number } = {
    host,
    rejectUnauthorized: !insecureSkipVerify,
    ALPNProtocols: ['http/1.1'],
    highWaterMark: TLS_READ_AHEAD,
    // A numeric address is not sent as a name (RFC 6066 3).
    ...(name === null ? {} : { servername: name }),
    ...(caFile === null ? {} : { ca: readFileSync(caFile) }),
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

const tooLate = (host: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`the TLS handshake with ${host} took too long`), { code: 'ETIMEDOUT' });
