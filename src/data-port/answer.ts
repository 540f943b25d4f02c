/**
 * Writes the answers that are Postern's own: problem documents (RFC 9457) and empty ones. Makes sure that bytes of an unread body
 * are never taken for a request, and that the client can read the answer before the connection closes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { atTurnEnd } from '../lib/turn-end.ts';
import { endWhole } from '../lib/whole-answer.ts';
import { REFUSALS, type Refusal, type RefusalCode, type RefusalForm } from '../refusal.ts';
import { breakOffWhenStalled } from '../upstream/stall.ts';
import { recordOf } from './socket-record.ts';

/** How long and how much a closing connection is still read, so that the answer is not lost to a TCP reset. */
const LINGER_MS = 1000;
const LINGER_BYTES = 4 * 1024 * 1024;

const ALLOW = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** The problem document of a refusal. `requestId` holds only characters that JSON needs not escape. */
export function problemBody({ code, detail }: Refusal, requestId: string, form: RefusalForm): string {
  const start = detail === undefined ? PROBLEM_STARTS[form][code] : problemStart(PROBLEM_FORMS[form], code, detail);
  return `${start}${requestId}"}`;
}

/** The header list that goes with a refusal, less `Content-Length` and CORS. */
export function problemHeaders(refusal: Refusal, requestId: string): string[] {
  const headers = ['Content-Type', 'application/problem+json', 'X-Request-Id', requestId, 'Cache-Control', 'no-store'];
  if (REFUSALS[refusal.code].status === 401) headers.push('WWW-Authenticate', 'Bearer');
  if (refusal.code === 'method_not_supported') headers.push('Allow', refusal.allow ?? ALLOW);
  if (refusal.retryAfter !== undefined) headers.push('Retry-After', String(refusal.retryAfter));
  return headers;
}

/** A request that Postern answers itself. */
export interface Answerable {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Its framing announces a body. */
  readonly hasBody: boolean;
  /** For how long its client may take nothing of the answer. */
  readonly idleTimeoutMs: number;
}

export interface OwnAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  /** Close the connection afterwards whatever the body's state. */
  readonly close: boolean;
}

/**
 * Sends an answer to a request whose body Postern does not need. If the body has not arrived whole when the packet at hand is
 * parsed, the connection is closed after the answer.
 */
export function answer(request: Answerable, own: OwnAnswer): void {
  const { req, res, hasBody } = request;
  if (res.headersSent) return void req.socket.destroy();
  // A last answer goes out before anything that follows is looked at.
  if (own.close) return send(request, own, true);
  if (hasBody && !req.complete) req.resume();
  // At the end of the turn, when Node has parsed the rest of the packet at hand; a tick would come before.
  atTurnEnd(() => send(request, own, hasBody && !req.complete));
}

function send(request: Answerable, own: OwnAnswer, close: boolean): void {
  const { req, res } = request;
  if (res.destroyed) return;
  const headers = [...own.headers];
  const { body } = own;
  const length = Buffer.byteLength(body);
  if (own.status !== 204) headers.push('Content-Length', String(length));
  if (close) {
    headers.push('Connection', 'close');
    lingerOnClose(req.socket);
    req.resume();
  }
  try {
    res.writeHead(own.status, headers);
    endWhole(res, length === body.length ? body : Buffer.from(body));
    if (res.writableLength > 0) breakOffWhenStalled(res, request.idleTimeoutMs);
  } catch {
    // A field that Node does not write is a bug. It ends this connection, not the process.
    req.socket.destroy();
  }
}

/**
 * Replaces Node's immediate close after the last answer: a socket closed with unread bytes sends a reset, and the reset
 * can overtake the answer (RFC 9112 9.6).
 */
export function lingerOnClose(socket: Socket): void {
  recordOf(socket).closing = true;
  socket.destroySoon = () => {
    const before = socket.bytesRead;
    const destroy = (): void => void socket.destroy();
    const timer = setTimeout(destroy, LINGER_MS);
    const poll = setInterval(() => socket.bytesRead - before > LINGER_BYTES && destroy(), 50);
    socket.once('close', () => {
      clearTimeout(timer);
      clearInterval(poll);
    });
    socket.once('end', destroy);
    socket.end();
    socket.resume();
  };
}

type Problem = Readonly<Record<'title' | 'detail', string> & { status: number; code: string }>;

const PROBLEM_FORMS: Readonly<Record<RefusalForm, (problem: Problem) => object>> = {
  problem: ({ title, status, code, detail }) => ({ type: 'about:blank', title, status, code, detail }),
  // Amplitude's clients send anew what was refused with 4xx, unless `error` begins with these three words.
  amplitude: ({ title, status, code, detail }) => ({
    type: 'about:blank',
    title,
    status,
    code: status,
    reason: code,
    detail,
    error: isForGood(status) ? `Invalid API key or request: ${detail}` : detail,
  }),
};

/** Whether the same request would be refused again: not one that came too often, too late or too large. */
const isForGood = (status: number): boolean => status < 500 && ![408, 413, 429].includes(status);

const startsOf = (form: (problem: Problem) => object): Readonly<Record<RefusalCode, string>> =>
  Object.fromEntries(
    Object.entries(REFUSALS).map(([code, { detail }]) => [code, problemStart(form, code as RefusalCode, detail)]),
  ) as Record<RefusalCode, string>;

function problemStart(form: (problem: Problem) => object, code: RefusalCode, detail: string): string {
  const { title, status } = REFUSALS[code];
  return `${JSON.stringify(form({ title, status, code, detail })).slice(0, -1)},"requestId":"`;
}

const PROBLEM_STARTS: Readonly<Record<RefusalForm, Readonly<Record<RefusalCode, string>>>> = {
  problem: startsOf(PROBLEM_FORMS.problem),
  amplitude: startsOf(PROBLEM_FORMS.amplitude),
};
