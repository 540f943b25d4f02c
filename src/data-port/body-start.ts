/**
 * Finds where the header section of a request ends in the packet that Node's parser is reading, which Node does not tell.
 * Never guesses: a packet in which the section could end in two places is an error.
 */
import type { IncomingMessage } from 'node:http';
import { trimOptionalSpace } from '../lib/header-list.ts';
import { hexDigit } from './chunk-framing.ts';

/** A request line and header fields as Node read them. */
export type ParsedHead = Pick<IncomingMessage, 'method' | 'url' | 'httpVersion' | 'rawHeaders'>;

/** The offset of the first body byte, or why it cannot be told. */
export type BodyStart = number | { readonly why: string };

/** How much of a packet may still be searched, by all requests in it together: each of very many could search it to its end. */
export interface SearchEffort {
  left: number;
}

/** As many empty lines as Node's largest packet holds, each counted once, and the fields of some requests. */
export const effortPerPacket = (): SearchEffort => ({ left: 40_000 });

/** The cost of comparing a line, counted in empty lines found. */
const LINE_EFFORT = 8;

/**
 * Finds the first byte of a chunked body.
 *
 * `known` is where a message starts, when the end of a followed one was seen in this same packet: this head is not before
 * it. Without one, every empty line is tried that follows the request's own fields and precedes a chunk size: a client can
 * put a copy of its head into an earlier body, so two such places are refused.
 */
export function findBodyStart(
  packet: Buffer,
  head: ParsedHead,
  known: number | null,
  effort: SearchEffort = effortPerPacket(),
): BodyStart {
  if (known !== null) {
    const end = endOfHeadAt(packet, head, known, effort);
    if (end !== null) return end;
  }
  const visible = packet.subarray(known ?? 0);
  let found: number | null = null;
  for (const end of sectionEnds(visible)) {
    if (--effort.left < 0) return { why: 'too many places of one packet could end the header section' };
    if (!precedesChunk(visible, end) || !matchesHead(visible, head, { end, whole: known !== null }, effort)) continue;
    if (found !== null) return { why: 'the header section could end in two places of one packet' };
    found = end + (known ?? 0);
  }
  return found ?? { why: 'the end of the header section was not found' };
}

/** If the message that starts at `start` has this very head, it is this request: an earlier one would have been followed. */
function endOfHeadAt(packet: Buffer, head: ParsedHead, start: number, effort: SearchEffort): number | null {
  let first = start;
  // RFC 9112 2.2: empty lines before a request line are skipped.
  while (packet[first] === 0x0d || packet[first] === 0x0a) first++;
  const at = packet.indexOf('\r\n\r\n', first, 'latin1');
  if (at < 0) return null;
  const message = packet.subarray(first, at + 4);
  const firstLine = squeeze(message.toString('latin1', 0, message.indexOf('\r\n')));
  const place = { end: message.length, whole: true };
  return firstLine === requestLine(head) && matchesHead(message, head, place, effort) ? at + 4 : null;
}

/** Where an empty line ends in the packet, its first bytes possibly in the packet before. */
function* sectionEnds(packet: Buffer): Generator<number> {
  const opening = packet.toString('latin1', 0, 3);
  for (const tail of ['\n', '\r\n', '\n\r\n']) if (opening.startsWith(tail)) yield tail.length;
  for (let at = packet.indexOf('\r\n\r\n'); at >= 0; at = packet.indexOf('\r\n\r\n', at + 1)) yield at + 4;
}

/** Anything but a chunk size is an error to Node's parser, so it cannot be where this body starts. */
function precedesChunk(packet: Buffer, end: number): boolean {
  if (end === packet.length) return true;
  let at = end;
  while (at < end + 32 && at < packet.length && hexDigit(packet[at] as number) >= 0) at++;
  return at > end && (at === packet.length || at === end + 32 || AFTER_SIZE.has(packet[at] as number));
}

/** CR, `;`, space and tab. */
const AFTER_SIZE: ReadonlySet<number> = new Set([0x0d, 0x3b, 0x20, 0x09]);

/**
 * Whether the bytes before `end` are the request's head, compared from its last field backwards. Where the packet begins
 * in the middle of the head, the rest must agree, unless the whole has to be there.
 */
function matchesHead(
  packet: Buffer,
  head: ParsedHead,
  { end, whole }: { readonly end: number; readonly whole: boolean },
  effort: SearchEffort,
): boolean {
  const fields = head.rawHeaders;
  let lineEnd = end - 4;
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    if (lineEnd < 0) return !whole;
    effort.left -= LINE_EFFORT;
    const lineStart = startOfLine(packet, lineEnd);
    const line = packet.toString('latin1', lineStart, lineEnd);
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (lineStart === 0) return !whole && endsField(line, name, value);
    if (!isField(line, name, value)) return false;
    lineEnd = lineStart - 2;
  }
  if (lineEnd < 0) return !whole;
  const lineStart = startOfLine(packet, lineEnd);
  const line = squeeze(packet.toString('latin1', lineStart, lineEnd));
  const wanted = requestLine(head);
  // What stands before it on the same line is the end of an earlier body.
  return line.endsWith(wanted) || (!whole && lineStart === 0 && wanted.endsWith(line));
}

function startOfLine(packet: Buffer, lineEnd: number): number {
  const before = lineEnd === 0 ? -1 : packet.lastIndexOf('\r\n', lineEnd - 1, 'latin1');
  // A CRLF that reaches into the line end itself is not one before it.
  return before < 0 || before + 2 > lineEnd ? 0 : before + 2;
}

function isField(line: string, name: string, value: string): boolean {
  return line.startsWith(`${name}:`) && trimOptionalSpace(line.slice(name.length + 1)) === value;
}

/** The packet may begin between CR and LF of the line before, too. */
function endsField(start: string, name: string, value: string): boolean {
  const line = start.startsWith('\n') ? start.slice(1) : start;
  if (value.endsWith(trimOptionalSpace(line))) return true;
  const colon = line.indexOf(':');
  return colon >= 0 && name.endsWith(line.slice(0, colon)) && trimOptionalSpace(line.slice(colon + 1)) === value;
}

function requestLine(head: ParsedHead): string {
  return `${head.method} ${head.url} HTTP/${head.httpVersion}`;
}

/** Node accepts several spaces between the parts of a request line. */
function squeeze(line: string): string {
  return line.replaceAll(/ +/g, ' ');
}
