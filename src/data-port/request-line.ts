/**
 * The request line of a request that Node's parser gave up on, for the log: what the packet begins with. It judges nothing, and
 * tells nothing where the packet could begin with another request than the broken one.
 */

/** As received: nobody has said what the target stands for. */
export interface RequestLine {
  readonly method: string;
  readonly target: string;
}

/** A method and a target of visible ASCII, as in RFC 9112 3; empty lines may stand in front (2.2). */
const LINE = /^(?:\r?\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21-\x7e]+) HTTP\/\d\.\d\r?\n/;
const LONGEST = 16_384;

/**
 * `parsed`: up to where the parser came. With the end of a header section before that, the broken request is a later one in the same
 * packet, or its body is what is broken.
 */
export function requestLineIn(packet: Buffer | undefined, parsed: number): RequestLine | null {
  if (packet === undefined || packet.subarray(0, parsed).includes('\r\n\r\n')) return null;
  const [, method, target] = LINE.exec(packet.toString('latin1', 0, LONGEST)) ?? [];
  return method === undefined || target === undefined ? null : { method, target };
}
