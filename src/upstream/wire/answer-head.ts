/**
 * Reads the head of an answer: status line, fields, how its content is framed, whether its connection may be used again. It is
 * read in one way or not at all; what any other parser could take for something else is a flaw. Pure.
 */
import { readFields } from './fields.ts';

export interface AnswerHead {
  /** 100 to 999. */
  readonly status: number;
  readonly reason: string;
  /** Names and values by turns, as they came. */
  readonly headers: readonly string[];
  /** Bytes of content that it declares; -1: none. */
  readonly length: number;
  readonly chunked: boolean;
  /** The backend keeps the connection (RFC 9112 9.3). */
  readonly persistent: boolean;
  /** Milliseconds that it may rest, as the backend announced; -1: it said nothing. */
  readonly keepAliveMs: number;
}

/** Digits that a length may have: all of them are exact as a number. */
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;
const VERSION_LENGTH = 'HTTP/1.1'.length;
const ZERO = 0x30;
const SPACE = 0x20;

/** What the fields say of framing and of the connection, gathered field by field. */
interface Said {
  length: number;
  chunked: boolean;
  close: boolean;
  keepAlive: boolean;
  keepAliveMs: number;
}

/** Reads a head, latin1, from the first byte of its status line through its empty line. A text says what is wrong with it. */
export function readHead(text: string): AnswerHead | string {
  const minor = text.charCodeAt(VERSION_LENGTH - 1) - ZERO;
  if (!text.startsWith('HTTP/1.') || (minor !== 0 && minor !== 1)) return 'no HTTP/1.1 or HTTP/1.0';
  const status = statusOf(text);
  if (status < 100) return 'bad status line';
  const reasonAt = VERSION_LENGTH + 4;
  const hasReason = text.charCodeAt(reasonAt) === SPACE;
  // Whatever else stands in it, nobody reads a reason phrase but to show it.
  const lineEnd = text.indexOf('\r', reasonAt);
  if (text.indexOf('\n') !== lineEnd + 1 || (!hasReason && lineEnd !== reasonAt)) return 'bad status line';
  const headers: string[] = [];
  const flaw = readFields(text, lineEnd + 2, headers);
  if (flaw !== null) return flaw;
  const said: Said = { length: -1, chunked: false, close: false, keepAlive: false, keepAliveMs: -1 };
  const unclear = listen(headers, said) ?? contradiction(said, status, minor) ?? listenForTabs(text, said);
  if (unclear !== null) return unclear;
  const persistent = !said.close && (minor === 1 || said.keepAlive);
  if (status < 200 && !persistent) return 'an interim response that is the last of its connection';
  return {
    status,
    reason: hasReason ? text.slice(reasonAt + 1, lineEnd) : '',
    headers,
    length: said.length,
    chunked: said.chunked,
    persistent,
    keepAliveMs: said.keepAliveMs,
  };
}

/** The three digits between the version and the reason; -1 when they are none. */
function statusOf(text: string): number {
  if (text.charCodeAt(VERSION_LENGTH) !== SPACE) return -1;
  let status = 0;
  for (let at = VERSION_LENGTH + 1; at <= VERSION_LENGTH + 3; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    status = status * 10 + digit;
  }
  return status;
}

/** Most names are told from these by their length alone. */
function listen(headers: readonly string[], said: Said): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    let flaw: string | null = null;
    switch (name.length) {
      case 10:
      case 16:
        listenToConnection(name, headers[i + 1] as string, said);
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') flaw = listenToLength(headers[i + 1] as string, said);
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') flaw = listenToCoding(headers[i + 1] as string, said);
        break;
      default:
    }
    if (flaw !== null) return flaw;
  }
  return null;
}

function listenToLength(value: string, said: Said): string | null {
  if (said.length !== -1) return 'repeated Content-Length';
  if (!LENGTH.test(value)) return 'odd Content-Length';
  said.length = Number(value);
  return null;
}

function listenToCoding(value: string, said: Said): string | null {
  if (said.chunked) return 'repeated Transfer-Encoding';
  if (value.length !== 7 || value.toLowerCase() !== 'chunked') return 'transfer coding other than chunked';
  said.chunked = true;
  return null;
}

function listenToConnection(name: string, value: string, said: Said): void {
  const lower = name.toLowerCase();
  if (lower === 'keep-alive') said.keepAliveMs = announcedMs(value);
  else if (lower === 'connection' || lower === 'proxy-connection') {
    if (value === 'keep-alive') said.keepAlive = true;
    else if (value === 'close') said.close = true;
    else listenToOptions(value, said);
  }
}

/** What is no plain list of options may be read as `close` by somebody. */
function listenToOptions(value: string, said: Said): void {
  for (const option of value.toLowerCase().split(',')) {
    const plain = option.trim();
    if (plain === 'keep-alive') said.keepAlive = true;
    else if (plain === 'close' || !/^[a-z0-9-]+$/.test(plain)) said.close = true;
  }
}

const FRAMED_WITH_TAB = /\r\n(?:content-length|transfer-encoding):[^\r]*\t/i;
const KEPT_WITH_TAB = /\r\n(?:proxy-)?connection:[^\r]*\t/i;

/** Not every parser, and not Node's own, takes a tab for white space in the fields that it reads itself. */
function listenForTabs(text: string, said: Said): string | null {
  if (!text.includes('\t')) return null;
  if (KEPT_WITH_TAB.test(text)) said.close = true;
  return FRAMED_WITH_TAB.test(text) ? 'a tab in a field that frames content' : null;
}

const ANNOUNCED = /(?:^|[\s,;])timeout=([0-9]{1,9})(?![0-9])/i;
let lastKeepAlive = '';
let lastAnnouncedMs = -1;

/** A backend says the same in every answer. */
function announcedMs(value: string): number {
  if (value !== lastKeepAlive) {
    lastKeepAlive = value;
    const seconds = ANNOUNCED.exec(value)?.[1];
    lastAnnouncedMs = seconds === undefined ? -1 : Number(seconds) * 1_000;
  }
  return lastAnnouncedMs;
}

function contradiction({ length, chunked }: Said, status: number, minor: number): string | null {
  if (chunked && length !== -1) return 'Content-Length with Transfer-Encoding';
  if (chunked && minor === 0) return 'Transfer-Encoding with HTTP/1.0';
  if (status < 200 && (chunked || length > 0)) return 'an interim response with content';
  return null;
}
