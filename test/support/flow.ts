/**
 * What most flow tests stand on: a sidecar before a recording backend, with one key of each kind, and requests written out.
 */
import type { ServerResponse } from 'node:http';
import { startBackend, type Backend, type RecordedRequest } from './backend.ts';
import { startPostern, type Postern } from './postern.ts';
import { sendRaw, type RawAnswer } from './raw-http.ts';

export const SERVER_SECRET = 'secret-of-the-server-key';
export const WEB_SECRET = 'secret-of-the-web-key';
export const EVENTS_SECRET = 'secret-of-the-events-key';

export const SERVER_KEY = { id: 'server', type: 'read-write', secret: SERVER_SECRET };
export const WEB_KEY = { id: 'web', type: 'write-only', secret: WEB_SECRET };
export const EVENTS_KEY = { id: 'events', type: 'write-only', secret: EVENTS_SECRET, allowedEvents: ['login', 'view'] };

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

export interface FlowOptions {
  readonly keys?: readonly Record<string, unknown>[];
  /** `policies` and `addressLists` of the key file. */
  readonly records?: Record<string, unknown>;
  /** Further files beside the key file. */
  readonly files?: Readonly<Record<string, string>>;
  /** Merged into the integration API. */
  readonly api?: Record<string, unknown>;
  /** Further APIs, in front of the same backend unless they say otherwise. */
  readonly apis?: Readonly<Record<string, Record<string, unknown>>>;
  readonly listen?: Record<string, unknown>;
  readonly admin?: Record<string, unknown>;
  readonly log?: Record<string, unknown>;
  readonly observe?: Record<string, unknown>;
  readonly respond?: (req: RecordedRequest, res: ServerResponse) => void;
  readonly now?: () => number;
}

export interface Flow {
  readonly backend: Backend;
  readonly postern: Postern;
  /** Sends exact bytes and resolves with the first answer. */
  readonly raw: (bytes: string | Buffer, options?: { untilClose?: boolean }) => Promise<RawAnswer>;
}

/** Starts both; they end with the test. */
export async function startFlow(
  t: Disposer,
  {
    keys = [SERVER_KEY, WEB_KEY, EVENTS_KEY],
    records,
    files,
    api,
    apis = {},
    listen,
    admin,
    log,
    observe,
    respond,
    now,
  }: FlowOptions = {},
): Promise<Flow> {
  const backend = await startBackend(t, respond);
  const postern = await startPostern(t, {
    config: {
      apis: {
        integration: { upstream: backend.url, ...api },
        ...Object.fromEntries(Object.entries(apis).map(([name, more]) => [name, { upstream: backend.url, ...more }])),
      },
      ...(listen === undefined ? {} : { listen }),
      ...(admin === undefined ? {} : { admin }),
      ...(log === undefined ? {} : { log }),
      ...(observe === undefined ? {} : { observe }),
    },
    keys,
    ...(records === undefined ? {} : { records }),
    ...(files === undefined ? {} : { files }),
    ...(now === undefined ? {} : { now }),
  });
  return { backend, postern, raw: (bytes, options) => sendRaw(postern.port, bytes, options) };
}

export interface WrittenRequest {
  readonly method?: string;
  readonly target?: string;
  readonly secret?: string | null;
  /** Lines after Host, such as `X-A: b`. */
  readonly fields?: readonly string[];
  /** Gets a Content-Length. */
  readonly body?: string | Buffer;
}

/** A request as bytes, by default a POST of the server's to `/event/ingest`. */
export function written({
  method = 'POST',
  target = '/event/ingest',
  secret = SERVER_SECRET,
  fields = [],
  body,
}: WrittenRequest): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: api.test'];
  if (secret !== null) lines.push(`Authorization: Bearer ${secret}`);
  lines.push(...fields);
  const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? Buffer.alloc(0));
  if (body !== undefined) lines.push(`Content-Length: ${bytes.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

/** The code of a problem document; '' for any other body. */
export function codeOf({ body }: Pick<RawAnswer, 'body'>): string {
  return body.startsWith('{') ? (JSON.parse(body) as { code: string }).code : '';
}
