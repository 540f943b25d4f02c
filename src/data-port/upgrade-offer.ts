/**
 * What an offer to upgrade costs when it is declined: behind such a request Node drops what is left of the packet, in silence. Where
 * something may be dropped, the request is the last of its connection, so that no half of another one is read as a whole.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { recordOf } from './socket-record.ts';

/** To be called while the request with the offer is handed over. `bodyLength`: null: it cannot be told. */
export function declineUpgrade(req: IncomingMessage, res: ServerResponse, bodyLength: number | null): void {
  if (bodyLength !== null && endsItsPacket(req.socket, bodyLength)) return;
  res.shouldKeepAlive = false;
  recordOf(req.socket).hadLast = true;
}

/** What Node has no public name for; it is there in Node 20 to 24. */
interface ParsedSocket extends Socket {
  readonly parser?: { readonly getCurrentBuffer: () => Buffer } | null;
}

const END_OF_HEAD = '\r\n\r\n';

/** Whether the packet that is being read ends with the first head that ends in it, and its body. */
function endsItsPacket(socket: ParsedSocket, bodyLength: number): boolean {
  const packet = socket.parser?.getCurrentBuffer();
  if (packet === undefined) return false;
  const end = packet.indexOf(END_OF_HEAD, 0, 'latin1');
  // The end of the head itself may have come in two packets.
  if (end === -1) return bodyLength === 0 && /^[\r\n]{1,3}$/.test(packet.toString('latin1', 0, 4));
  return end + END_OF_HEAD.length + bodyLength === packet.length;
}
