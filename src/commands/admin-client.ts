/**
 * Asks the admin port of a running sidecar. Shows its token to nobody else, and says in one sentence what went wrong.
 */
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { CommandIo } from './io.ts';

/** Asks for a path such as `/api/keys`, by GET unless told otherwise; the answer, or why there is none. */
export type AskAdmin = (path: string, method?: 'GET' | 'POST') => Promise<AdminAnswer>;

export type AdminAnswer =
  { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly exit: number; readonly why: string };

export interface AdminPlace {
  /** `--admin`; null: as the configuration says. */
  readonly admin: string | null;
  readonly config: string;
}

const CONFIGURATION_ERROR = 1;
const UNREACHABLE = 70;
/** Of a request: what was observed of very many days takes its time. */
const PATIENCE_MS = 60_000;

const PROTOCOLS: ReadonlySet<string> = new Set(['http:', 'https:']);

/** The way to the admin port, or the exit code when nobody knows it; what is wrong was said then. */
export function adminClient(place: AdminPlace, io: CommandIo): AskAdmin | number {
  const token = io.env['POSTERN_ADMIN_TOKEN'] || null;
  const found = place.admin !== null && token !== null ? { url: place.admin, token } : fromConfig(place, token, io);
  if (typeof found === 'number') return found;
  if (!URL.canParse(found.url) || !PROTOCOLS.has(new URL(found.url).protocol)) {
    io.stderr(`--admin ${JSON.stringify(found.url)} is not a URL such as http://127.0.0.1:9090.`);
    return 2;
  }
  return (path, method = 'GET') => ask(new URL(path, found.url), method, found.token);
}

function fromConfig({ admin, config: file }: AdminPlace, token: string | null, io: CommandIo): Found | number {
  const { config, problems } = loadConfig(file, io.env);
  if (config === null) {
    for (const problem of problems) io.stderr(formatProblem(problem));
    return CONFIGURATION_ERROR;
  }
  const known = token ?? config.admin.token;
  if (known === null) {
    io.stderr(`${file}: there is no admin.token; set POSTERN_ADMIN_TOKEN to the token of the running sidecar.`);
    return CONFIGURATION_ERROR;
  }
  const { host, port, tls } = config.admin;
  return { url: admin ?? `${tls === null ? 'http' : 'https'}://${reachable(host)}:${port}`, token: known };
}

interface Found {
  readonly url: string;
  readonly token: string;
}

/** Whoever listens everywhere is here, too. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

async function ask(url: URL, method: string, token: string): Promise<AdminAnswer> {
  try {
    const answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status === 204) return { ok: true, body: null };
    const body = (await answer.json()) as { readonly detail?: unknown };
    if (answer.ok) return { ok: true, body };
    const detail = typeof body.detail === 'string' ? body.detail : `it answered ${answer.status}`;
    return { ok: false, exit: answer.status >= 500 ? UNREACHABLE : CONFIGURATION_ERROR, why: detail };
  } catch (error) {
    return { ok: false, exit: UNREACHABLE, why: `${url.origin} cannot be asked: ${reasonOf(error)}.` };
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { readonly cause?: { readonly code?: unknown }; readonly message: string };
  if (typeof cause?.code !== 'string') return message;
  const cure = cureOf(cause.code);
  return cure === null ? cause.code : `${cause.code}; ${cure}`;
}

function cureOf(code: string): string | null {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'renew its certificate';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'no TLS is spoken there: name it as http:// in --admin';
  if (code === 'UND_ERR_SOCKET') return 'where it has `admin.tls`, name it as https:// in --admin';
  return isOfCertificate(code) ? TRUST : null;
}

const TRUST =
  'name a host of its certificate in --admin, and the file of the authority that signed it in NODE_EXTRA_CA_CERTS';

/** OpenSSL's faults of certificates, and that which Node adds for the name: ERR_TLS_CERT_ALTNAME_INVALID. */
const isOfCertificate = (code: string): boolean => /CERT|SIGNATURE|^UNABLE_TO_|CA$/.test(code);
