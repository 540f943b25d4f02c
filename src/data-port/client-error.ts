/**
 * What becomes of a connection on which Node's parser or its timers gave up: a problem document where one can still be
 * written, and a closed connection in any case. There is no request to judge here.
 */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { latestAnswerOn } from '../lib/pipelining.ts';
import { REFUSALS, refusal, type Refusal } from '../refusal.ts';
import { lingerOnClose, problemBody, problemHeaders } from './answer.ts';
import { beginsProxyHeader } from './proxy-header.ts';
import { requestLineIn, type RequestLine } from './request-line.ts';
import { recordOf } from './socket-record.ts';

/** A request that is not over. */
export interface OpenRequest {
  readonly res: ServerResponse;
}

export interface ClientErrorPorts<T extends OpenRequest> {
  /** The latest request on a socket, until it is over. */
  readonly openOn: (socket: Socket) => T | null;
  /** Answers a request that is still under way. */
  readonly refuse: (open: T, reason: Refusal) => void;
  /** Records a refusal that belongs to no request; `line` is what could be read of one. */
  readonly record: (socket: Socket, reason: Refusal, requestId: string, line: RequestLine | null) => void;
  readonly nextRequestId: () => string;
}

type Recording = Pick<ClientErrorPorts<OpenRequest>, 'record' | 'nextRequestId'>;

/** Makes the listener for the HTTP server's `clientError` event. */
export function clientErrorListener<T extends OpenRequest>(
  ports: ClientErrorPorts<T>,
): (error: ParserError, socket: Socket) => void {
  return (error, socket) => {
    // What follows the last answer is not read as anything; the socket ends by itself.
    if (recordOf(socket).closing) return;
    const open = ports.openOn(socket);
    const res = open?.res ?? latestAnswerOn(socket);
    if (!socket.writable || isDisconnect(error) || (res === null && wasUnused(error, socket))) {
      socket.destroy();
      return;
    }
    const reason = refusalOf(error, socket);
    const isAnswered = res === null || res.writableFinished;
    if (isAnswered && isWithinBody(socket)) closeUnanswered(socket);
    else if (isAnswered) writeRaw(socket, reason, lineOf(error), ports);
    else if (res.req.complete) afterAnswer(res, socket, reason, lineOf(error), ports);
    else if (open === null) socket.destroy();
    else ports.refuse(open, reason);
  };
}

/** What Node has no public name for; it is there in Node 20 to 24. */
interface ReadSocket extends Socket {
  readonly parser?: { readonly incoming?: Pick<IncomingMessage, 'complete'> | null } | null;
}

const isWithinBody = (socket: ReadSocket): boolean => socket.parser?.incoming?.complete === false;

/** The body belongs to a request that has its answer: the client would take a second one for that to its next request. */
function closeUnanswered(socket: Socket): void {
  lingerOnClose(socket);
  socket.destroySoon();
}

/** The bytes behind a whole request are broken, not the request: it gets its answer, and nothing is read after it. */
function afterAnswer(
  res: ServerResponse,
  socket: Socket,
  reason: Refusal,
  line: RequestLine | null,
  ports: Recording,
): void {
  ports.record(socket, reason, ports.nextRequestId(), line);
  res.shouldKeepAlive = false;
  lingerOnClose(socket);
  res.once('finish', () => socket.destroySoon());
}

interface ParserError extends NodeJS.ErrnoException {
  /** The packet that the parser gave up on. */
  readonly rawPacket?: Buffer;
  /** How many bytes of it were read. */
  readonly bytesParsed?: number;
}

const lineOf = ({ rawPacket, bytesParsed = 0 }: ParserError): RequestLine | null =>
  requestLineIn(rawPacket, bytesParsed);

/** A balancer that sends one is not among those that may, or nothing was said of it. */
const UNEXPECTED_PROXY_HEADER: Refusal = {
  ...refusal(
    'malformed_request',
    'a PROXY protocol header from a peer of which none is expected',
    'listen.proxyProtocol',
  ),
  detail: 'The connection begins with a PROXY protocol header, and none is expected from this peer.',
};

/** Node hands over a bare socket: there is no response object to write with. */
function writeRaw(socket: Socket, reason: Refusal, line: RequestLine | null, ports: Recording): void {
  const requestId = ports.nextRequestId();
  const { status } = REFUSALS[reason.code];
  const body = problemBody(reason, requestId, 'problem');
  const headers = [
    ...problemHeaders(reason, requestId),
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Connection',
    'close',
  ];
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nDate: ${new Date().toUTCString()}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  lingerOnClose(socket);
  socket.write(`${head}\r\n${body}`);
  socket.destroySoon();
  ports.record(socket, reason, requestId, line);
}

function isDisconnect({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED' || code === 'ETIMEDOUT';
}

/**
 * Nothing of a request ever came: balancers check in this way that a port is open, and browsers connect before they need to. That
 * is no refusal, and the client could take an answer for that to a request which it is just sending.
 */
function wasUnused({ code }: NodeJS.ErrnoException, socket: Socket): boolean {
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return true;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead <= recordOf(socket).proxyHeaderLength;
}

/** Node's and llhttp's error codes are stable names; their texts quote no client input. */
function refusalOf({ code, message, rawPacket }: ParserError, socket: Socket): Refusal {
  if (rawPacket !== undefined && socket.bytesRead === rawPacket.length && beginsProxyHeader(rawPacket))
    return UNEXPECTED_PROXY_HEADER;
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal(
        'request_timeout',
        'the request did not arrive within headersTimeoutSeconds or requestTimeoutSeconds',
      );
    case 'HPE_HEADER_OVERFLOW':
      return refusal('header_fields_too_large', 'the header section is over listen.maxHeaderBytes');
    case 'HPE_INVALID_VERSION':
      // The code stands for a bare LF at the end of the request line as well.
      return refusal(message.includes('CRLF') ? 'malformed_request' : 'version_not_supported', message);
    case 'HPE_INVALID_METHOD':
      return refusal('not_implemented', message);
    default:
      return refusal('malformed_request', message);
  }
}
