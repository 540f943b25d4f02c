/**
 * JSON lines on standard output, through pino: what the process does, and one line for each refusal. Holds no secret, query or body,
 * and no text of a client's can end a line or begin one. Writing never waits: a reader that stops costs lines, not memory.
 */
import { pino } from 'pino';
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import { escapeUnits } from '../lib/escape-units.ts';
import { redactUrls } from '../lib/redact-urls.ts';
import type { Refusal } from '../refusal.ts';
import { isoTime } from './iso-time.ts';
import { createLineWriter } from './line-writer.ts';
import { logDescriptor } from './log-descriptor.ts';
import { lineExtras, loggablePath } from './outcome.ts';
import type { Outcome, Rejection } from './outcome.ts';
import type { RedisUse } from './prometheus.ts';

export type LogLevel = Config['log']['level'];

/** Details of a line. Strings are shown without the credentials of URLs in them; an error shows its message alone. */
export type LogFields = Readonly<
  Record<string, string | number | boolean | null | undefined | readonly string[] | Error>
>;

type Write = (event: string, fields?: LogFields) => void;

export interface Log {
  /** Operational lines: `event` is a stable name (`started`, `key_source_down`), the rest goes into the fields. */
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
  /** The line of a refusal, or of one that would have been; at level debug a second one says why. */
  readonly rejection: (rejection: Rejection, refusal: Refusal) => void;
  /** The line of a request that failed at its upstream. */
  readonly upstreamFailure: (outcome: Outcome) => void;
  /** The line of a request that went through. */
  readonly request: (outcome: Outcome) => void;
  readonly setLevel: (level: LogLevel) => void;
  /** Resolves when every line so far is written. After a second without that, nobody reads: what is left is given up for good. */
  readonly flush: () => Promise<void>;
  /** Writes what is waiting before it returns. The exit of the process does it by itself, after a crash too. */
  readonly flushSync: () => void;
  /** How many lines could not be written. */
  readonly dropped: () => number;
}

/** Where lines go: standard output, or in tests whatever collects them. */
export interface LogDestination {
  readonly write: (line: string) => unknown;
  readonly flush?: (done: () => void) => void;
  readonly flushSync?: () => void;
  readonly giveUp?: () => void;
  readonly dropped?: () => number;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly destination?: LogDestination;
}

export function createLog({ level, now, destination = standardOutput(now) }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${isoTime(now())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void destination.write(printable(line)) },
  );
  return {
    ...operationalLines(logger),
    rejection(rejection, refusal) {
      if (!logger.isLevelEnabled(rejection.level)) return;
      destination.write(rejectionLine(rejection));
      if (logger.isLevelEnabled('debug')) logger.debug({ requestId: rejection.requestId, why: refusal.why }, 'why');
    },
    upstreamFailure(outcome) {
      const detail = outcome.refusal?.why;
      logger.warn({ ...requestFields(outcome), kind: outcome.upstreamFailure, detail }, 'upstream_failed');
    },
    request(outcome) {
      logger.info(requestFields(outcome), 'request');
    },
    setLevel(next) {
      logger.level = next;
    },
    flush: () => flushed(destination),
    flushSync: () => destination.flushSync?.(),
    dropped: () => destination.dropped?.() ?? 0,
  };
}

/**
 * One refusal as a line. Built by hand, since a refused request should cost little: the fields that a client has no hand in are
 * written as they are, the others escaped.
 */
export function rejectionLine(r: Rejection): string {
  if (told === null || !saysTheSame(r, told)) {
    told = r;
    toldText = sharedText(r);
  }
  const start = `{"level":"${r.level}","time":"${r.time}","msg":"${r.msg}","requestId":${quoted(r.requestId)},`;
  const trace = r.traceId === undefined ? '' : `,"traceId":"${r.traceId}"`;
  return `${start}${toldText}${trace}${r.aborted === undefined ? '' : ',"aborted":true'}}\n`;
}

/** Whoever is refused mostly tries again at once: what such lines share is written once. */
let told: Rejection | null = null;
let toldText = '';

const saysTheSame = (r: Rejection, other: Rejection): boolean =>
  r.api === other.api &&
  r.keyId === other.keyId &&
  r.reason === other.reason &&
  r.status === other.status &&
  r.clientIp === other.clientIp &&
  r.method === other.method &&
  r.path === other.path &&
  r.removedEvents === other.removedEvents &&
  r.mode === other.mode &&
  r.rule === other.rule &&
  r.events === other.events &&
  r.userAgent === other.userAgent;

function sharedText(r: Rejection): string {
  return (
    `"api":"${r.api}","keyId":${quoted(r.keyId)},"reason":"${r.reason}","status":${r.status},` +
    `"clientIp":${quoted(r.clientIp)},"method":${quoted(r.method)},"path":${quoted(r.path)},` +
    `"removedEvents":${r.removedEvents},"mode":"${r.mode}"` +
    (r.rule === undefined ? '' : `,"rule":${quoted(r.rule)}`) +
    (r.events === undefined ? '' : `,"events":[${r.events.map(quoted).join()}]`) +
    (r.userAgent === undefined ? '' : `,"userAgent":${quoted(r.userAgent)}`)
  );
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** A JSON string; most need no escaping. */
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : printable(JSON.stringify(text)));

/**
 * JSON in printable ASCII alone. JSON lets U+2028, U+0085 and the C1 controls stand, which some readers take for the end of a line and
 * some terminals for a command.
 */
function printable(json: string): string {
  return json.replace(/[^\n -~]+/g, escapeUnits);
}

function requestFields(outcome: Outcome) {
  return {
    requestId: outcome.requestId,
    api: outcome.api,
    keyId: outcome.keyId,
    status: outcome.status,
    clientIp: outcome.clientIp,
    method: outcome.method,
    path: loggablePath(outcome.path),
    removedEvents: outcome.removedEvents,
    durationSeconds: outcome.durationSeconds,
    upstreamSeconds: outcome.upstreamSeconds,
    ...lineExtras(outcome),
  };
}

function operationalLines(logger: Logger): Pick<Log, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> {
  const writer =
    (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'): Write =>
    (event, fields = {}) => {
      if (logger.isLevelEnabled(level)) logger[level](shown(fields), event);
    };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    fatal: writer('fatal'),
  };
}

function shown(fields: LogFields): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) result[name] = redactUrls(value.message);
    else if (Array.isArray(value)) result[name] = value.map((item: string) => redactUrls(item));
    else result[name] = typeof value === 'string' ? redactUrls(value) : value;
  }
  return result;
}

const STDOUT = 1;

/** What may wait for a reader of standard output that has stopped reading. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** Our own writer in place of pino's, which would never let the process end when the reader of a pipe is gone. */
function standardOutput(now: () => number): LogDestination {
  const writer = createLineWriter({
    ...logDescriptor(STDOUT),
    maxWaiting: MAX_WAITING_BYTES,
    droppedLine: (lines) => `{"level":"error","time":"${isoTime(now())}","msg":"log_lines_dropped","lines":${lines}}\n`,
  });
  process.on('exit', writer.flushSync);
  return writer;
}

const FLUSH_PATIENCE_MS = 1000;

function flushed(destination: LogDestination): Promise<void> {
  return new Promise((resolve) => {
    if (destination.flush === undefined) return resolve();
    // Giving up ends the flush as well.
    const patience = setTimeout(() => destination.giveUp?.(), FLUSH_PATIENCE_MS);
    destination.flush(() => {
      clearTimeout(patience);
      resolve();
    });
  });
}

/** What is shared through Redis has something to fall back on; an operator should know since when. */
export const fallbackLog =
  (log: Pick<Log, 'info' | 'warn'>, use: RedisUse) =>
  (active: boolean, why: string): void =>
    active ? log.warn('redis_fallback_begins', { use, detail: why }) : log.info('redis_fallback_ends', { use });
