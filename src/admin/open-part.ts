/**
 * What anybody may ask the admin port for: metrics and probes. They are answered without the framework, since all that a sidecar
 * without an admin token ever says is here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Health } from '../observability/health.ts';
import type { Log } from '../observability/log.ts';
import { OPEN_METRICS_TYPE, prefersOpenMetrics, toOpenMetrics } from '../observability/open-metrics.ts';
import type { Metrics } from '../observability/prometheus.ts';
import { ADMIN_PROBLEMS, problem, problemDocument, PROBLEM_MEDIA_TYPE, type AdminProblem } from './problem.ts';

export interface OpenPartPorts {
  readonly metrics: Pick<Metrics, 'contentType' | 'parts'>;
  readonly health: Health;
  readonly log: Pick<Log, 'error'>;
}

type Respond = (req: IncomingMessage, res: ServerResponse) => void;

/** Answers a request for one of its paths; false: it is for none. */
export function createOpenPart({ metrics, health, log }: OpenPartPorts): (...args: Parameters<Respond>) => boolean {
  const showMetrics = async ({ headers }: IncomingMessage, res: ServerResponse): Promise<void> => {
    const isOpen = prefersOpenMetrics(headers.accept);
    const type = isOpen ? OPEN_METRICS_TYPE : metrics.contentType;
    await sendParts(
      res,
      { 'content-type': type, vary: 'Accept' },
      isOpen ? toOpenMetrics(metrics.parts()) : metrics.parts(),
    );
  };
  const own = new Map<string, Respond>([
    ['/metrics', (req, res) => void showMetrics(req, res).catch((error: Error) => fail(res, error, log))],
    ['/healthz', (_req, res) => probe(res, 200, { status: 'ok' })],
    [
      '/readyz',
      (_req, res) => {
        const why = health.why();
        if (why === null) probe(res, 200, { status: 'ready' });
        else probe(res, 503, { status: health.readiness(), reason: why });
      },
    ],
  ]);
  return (req, res) => {
    const respond = req.method === 'GET' || req.method === 'HEAD' ? own.get(pathOf(req.url ?? '')) : undefined;
    respond?.(req, res);
    return respond !== undefined;
  };
}

/** The log says what went wrong inside; the caller learns only that the fault is not his. */
export const INTERNAL_ERROR = problem('internal_error', 'Something went wrong here. The request was not at fault.');

export const NOTHING_HERE = problem('not_found', 'There is nothing here.');

/** Answers with a problem document, where the framework is not there to do it. */
export function endWithProblem(res: ServerResponse, refused: AdminProblem): void {
  end(res, ADMIN_PROBLEMS[refused.code].status, PROBLEM_TYPE, JSON.stringify(problemDocument(refused)));
}

const PROBLEM_TYPE = `${PROBLEM_MEDIA_TYPE}; charset=utf-8`;

/** Also of a target in absolute form (RFC 9112 3.2.2). */
const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0] as string;

function probe(res: ServerResponse, status: number, document: object): void {
  res.setHeader('cache-control', 'no-store');
  end(res, status, 'application/json; charset=utf-8', JSON.stringify(document));
}

function fail(res: ServerResponse, error: Error, log: OpenPartPorts['log']): void {
  log.error('admin_request_failed', { error });
  if (res.headersSent) res.destroy();
  else endWithProblem(res, INTERNAL_ERROR);
}

function end(res: ServerResponse, status: number, type: string, body: string): void {
  res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

/** In bytes. What is longer goes out as its client takes it: many who ask for it and take nothing must not fill the memory. */
const LONG = 131_072;

async function sendParts(
  res: ServerResponse,
  headers: Readonly<Record<string, string>>,
  parts: AsyncIterable<string>,
): Promise<void> {
  const first: Buffer[] = [];
  let length = 0;
  for await (const part of parts) {
    const bytes = Buffer.from(part);
    length += bytes.length;
    if (!res.headersSent) {
      first.push(bytes);
      if (length > LONG) begin(res, headers, first);
    } else if (!res.write(bytes)) await drained(res);
    if (res.destroyed) return;
  }
  if (!res.headersSent) begin(res, { ...headers, 'content-length': String(length) }, first);
  res.end();
}

function begin(res: ServerResponse, headers: Readonly<Record<string, string>>, parts: readonly Buffer[]): void {
  res.writeHead(200, headers);
  for (const part of parts) res.write(part);
}

/** Resolves when the client has taken what was sent, or is gone. */
const drained = (res: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      res.off('drain', end).off('close', end);
      resolve();
    };
    res.on('drain', end).on('close', end);
  });
