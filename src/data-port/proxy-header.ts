/**
 * Reads a PROXY protocol header, version 1 or 2 (HAProxy's proxy-protocol.txt), from the first bytes of a connection.
 * Strict: what the specification leaves open is malformed. Does not decide who may send one.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** The longest header that is waited for. One of version 2 may announce 64 KiB, far more than its extensions need. */
export const MAX_PROXY_HEADER_BYTES = 4096;

/**
 * Where the connection comes from: the address in the header, the proxy itself (LOCAL), or an unknown place, when the address is
 * not told or is no IP address. An unknown place must never count as the proxy, whose word about clients is believed.
 */
export type ProxySource =
  | { readonly kind: 'address'; readonly text: string; readonly port: number }
  | { readonly kind: 'peer' }
  | { readonly kind: 'unknown' };

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly why: string }
  /** `length`: the bytes that belong to the header. */
  | { readonly kind: 'complete'; readonly length: number; readonly source: ProxySource };

const V1_START = Buffer.from('PROXY ');
const V2_START = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const V1_MAX_BYTES = 107;
const V2_FIXED_BYTES = 16;

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };

/** Reads as much as has arrived. A first byte that starts neither version is malformed at once. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V1_START)) return readV1(bytes);
  if (startsLike(bytes, V2_START)) return bytes.length < V2_FIXED_BYTES ? INCOMPLETE : readV2(bytes);
  return malformed('no PROXY header');
}

/** Whether the first bytes of a connection are those of a header, of either version. */
export const beginsProxyHeader = (bytes: Buffer): boolean =>
  [V1_START, V2_START].some((start) => bytes.length >= start.length && startsLike(bytes, start));

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n');
  if (end < 0) return bytes.length < V1_MAX_BYTES ? INCOMPLETE : malformed('version 1 line is longer than 107 bytes');
  const length = end + 2;
  const [protocol, source, destination, sourcePort, destinationPort, ...rest] = bytes
    .toString('latin1', V1_START.length, end)
    .split(' ');
  // Whatever follows UNKNOWN is to be ignored. Somebody is relayed whose address is not told: nobody's, and not the proxy's.
  if (protocol === 'UNKNOWN') return { kind: 'complete', length, source: { kind: 'unknown' } };
  const isAddress = protocol === 'TCP4' ? isIPv4 : protocol === 'TCP6' ? isPlainIPv6 : null;
  if (isAddress === null) return malformed('version 1 line names no known protocol');
  if (rest.length > 0 || !isAddress(source ?? '') || !isAddress(destination ?? ''))
    return malformed('version 1 line has no two addresses of its protocol');
  const port = readPort(sourcePort);
  if (port === null || readPort(destinationPort) === null) return malformed('version 1 line has no two ports');
  return { kind: 'complete', length, source: { kind: 'address', text: source as string, port } };
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function readPort(text: string | undefined): number | null {
  if (text === undefined || !/^(?:0|[1-9][0-9]{0,4})$/.test(text)) return null;
  const port = Number(text);
  return port <= 65535 ? port : null;
}

function readV2(bytes: Buffer): ProxyHeader {
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > MAX_PROXY_HEADER_BYTES) return malformed(`version 2 header announces ${length} bytes`);
  const command = bytes.readUInt8(12);
  if (command !== 0x20 && command !== 0x21) return malformed('version 2 header has an unknown version or command');
  if (bytes.length < length) return INCOMPLETE;
  // LOCAL: the proxy speaks for itself, as its health checks do. Whatever family and addresses follow mean nothing.
  if (command === 0x20) return { kind: 'complete', length, source: { kind: 'peer' } };
  const source = readV2Source(bytes.readUInt8(13), bytes.subarray(V2_FIXED_BYTES, length));
  return source === null
    ? malformed('version 2 header has no address of its family')
    : { kind: 'complete', length, source };
}

/** The address block. What follows it are extensions (TLVs), which change nothing here. */
function readV2Source(family: number, block: Buffer): ProxySource | null {
  switch (family) {
    case 0x11:
      return block.length < 12
        ? null
        : { kind: 'address', text: block.subarray(0, 4).join('.'), port: block.readUInt16BE(8) };
    case 0x21:
      return block.length < 36 ? null : { kind: 'address', text: ipv6Text(block), port: block.readUInt16BE(32) };
    // Unspecified, or a Unix socket.
    case 0x00:
    case 0x31:
      return { kind: 'unknown' };
    default:
      return null;
  }
}

function ipv6Text(block: Buffer): string {
  return Array.from({ length: 8 }, (_, i) => block.readUInt16BE(i * 2).toString(16)).join(':');
}

function malformed(why: string): ProxyHeader {
  return { kind: 'malformed', why };
}
