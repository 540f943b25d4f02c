/** Certificates of test/fixtures/tls in a folder of their own, renewed in each of the ways in which others renew them. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

export const tlsFixture = (name: string): string => join(process.cwd(), `test/fixtures/tls/${name}.pem`);
export const upstreamTlsFixture = (name: string): string =>
  join(process.cwd(), `test/fixtures/upstream-tls/${name}.pem`);

/** Both pairs are for localhost, and signed by themselves. */
export type PairName = 'cert' | 'renewed';
export const keyOf = (name: PairName): string => tlsFixture(name === 'cert' ? 'key' : 'renewed-key');

export interface TlsFolder {
  readonly pair: { readonly certFile: string; readonly keyFile: string };
  readonly at: (name: string) => string;
  /** The certificate first, then its key: between the two they do not match. */
  readonly inPlace: (name: PairName) => void;
  readonly byRename: (name: PairName) => void;
}

/** Plain files, with the first pair in them. */
export function tlsFolder(t: Disposer): TlsFolder {
  const folder = mkdtempSync(join(tmpdir(), 'postern-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);
  const [certFile, keyFile] = [at('cert.pem'), at('key.pem')];
  const inPlace = (name: PairName): void => {
    copyFileSync(tlsFixture(name), certFile);
    copyFileSync(keyOf(name), keyFile);
  };
  inPlace('cert');
  return {
    pair: { certFile, keyFile },
    at,
    inPlace,
    byRename: (name) => {
      for (const [from, to] of [
        [tlsFixture(name), certFile],
        [keyOf(name), keyFile],
      ] as const) {
        copyFileSync(from, `${to}.new`);
        renameSync(`${to}.new`, to);
      }
    },
  };
}

export interface LinkedFolder {
  readonly pair: { readonly certFile: string; readonly keyFile: string };
  readonly swap: (name: PairName) => void;
}

/** A Secret that Kubernetes mounts: the files are links through `..data`, which is swapped for another folder. */
export function mountedSecret(t: Disposer): LinkedFolder {
  const folder = mkdtempSync(join(tmpdir(), 'postern-secret-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  const swap = (name: PairName): void => {
    const version = `..2026_${count++}`;
    mkdirSync(join(folder, version));
    copyFileSync(tlsFixture(name), join(folder, version, 'tls.crt'));
    copyFileSync(keyOf(name), join(folder, version, 'tls.key'));
    symlinkSync(version, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    if (count > 1) rmSync(join(folder, `..2026_${count - 2}`), { recursive: true });
  };
  swap('cert');
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(folder, name));
  return { pair: { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }, swap };
}

/** What certbot keeps: `live/` has links into `archive/`, each replaced by one to a newer file. */
export function certbotFolder(t: Disposer): LinkedFolder {
  const folder = mkdtempSync(join(tmpdir(), 'postern-certbot-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['archive', 'live']) mkdirSync(join(folder, name));
  let count = 0;
  const swap = (name: PairName): void => {
    count++;
    for (const [from, file] of [
      [keyOf(name), 'privkey'],
      [tlsFixture(name), 'fullchain'],
    ] as const) {
      const newer = join('archive', `${file}${count}.pem`);
      copyFileSync(from, join(folder, newer));
      const link = join(folder, 'live', `${file}.pem`);
      rmSync(link, { force: true });
      symlinkSync(join('..', newer), link);
    }
  };
  swap('cert');
  return { pair: { certFile: join(folder, 'live/fullchain.pem'), keyFile: join(folder, 'live/privkey.pem') }, swap };
}

const TRUSTED = [readFileSync(tlsFixture('cert')), readFileSync(tlsFixture('renewed'))];

/** A connection after its handshake. Rejects when there is none. */
export function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: TRUSTED, ...options });
    socket.once('error', reject);
    socket.once('secureConnect', () => resolve(socket.off('error', reject).on('error', () => {})));
  });
}

/** Which pair a port shows now. */
export async function shownBy(port: number): Promise<PairName> {
  // Under TLS 1.3 the server may not yet have the end of the handshake when the client leaves, and would wait for it.
  const socket = await handshake(port, { maxVersion: 'TLSv1.2' });
  const { fingerprint256 } = socket.getPeerX509Certificate() ?? {};
  socket.destroy();
  return fingerprint256 === RENEWED ? 'renewed' : 'cert';
}

const RENEWED = new X509Certificate(TRUSTED[1] as Buffer).fingerprint256;

/** Resolves when a port shows the pair. */
export async function untilShown(port: number, name: PairName): Promise<void> {
  while ((await shownBy(port)) !== name) await new Promise((resolve) => setTimeout(resolve, 10));
}
