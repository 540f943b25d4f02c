/**
 * One keep-alive connection to a backend: undici's client, plus knowledge of the socket under it.
 * Lets interim 100 responses through that undici would take for an attack, and an answer that came before a broken upload;
 * never touches any other byte. It grows old, and is then closed as soon as nothing is under way on it.
 */
import { Client, type Dispatcher } from 'undici';
import type { Socket } from 'node:net';
import type { Connector } from './connector.ts';

/** What a request under way may know of its connection. */
export interface Connection {
  /** null until connected. */
  readonly socket: Socket | null;
  /** It is too old to carry another request, or takes no more. */
  readonly retired: boolean;
  /** Part of the request waits to be sent. After an answer the backend will not read it, and may close. */
  readonly isSending: boolean;
  /** Why the backend takes nothing any more; what it sent before may still be read. */
  readonly writeError: Error | null;
  /** The connection was gone before a byte of its latest request was taken from this side: the backend has seen nothing of it. */
  readonly sentNothing: boolean;
  /** Milliseconds; set by whoever lets it rest. */
  idleSince: number;
  /** Queues one request; not while another is under way. */
  send(request: Dispatcher.DispatchOptions, user: ConnectionUser): void;
  /** A request is about to be written: the next bytes read begin a response. */
  expectResponse(): void;
  /** Ends it when what is under way has ended. */
  close(): Promise<void>;
  /** Breaks off what is under way. */
  destroy(): void;
}

export interface ConnectionSettings {
  readonly origin: URL;
  readonly options: Client.Options;
  readonly connect: Connector;
  /** A connection is retired at this age, or up to a fifth earlier, so that many do not go at once. */
  readonly maxAgeMs: number;
  /** Called when it has become too old, whatever is under way on it. */
  readonly onRetired: (connection: Connection) => void;
}

/** A handler of undici's callbacks that wants to know its connection; it is told before anything else. */
export interface ConnectionUser extends Dispatcher.DispatchHandler {
  connection: Connection | null;
}

/** Makes a connection that connects with the first request, and again with the next one after it was closed. */
export function openConnection({ origin, options, connect, maxAgeMs, onRetired }: ConnectionSettings): Connection {
  const scanner = createInterimScanner();
  let socket: Socket | null = null;
  let retired = false;
  let writeError: Error | null = null;
  let sentNothing = false;
  let writes: WriteWatch | null = null;

  const retire = (): void => {
    retired = true;
    onRetired(connection);
  };
  const client = new Client(origin, {
    ...options,
    connect: (target, callback) => {
      connect(target, (...result) => {
        // Its types promise null beside an error; it gives nothing.
        socket = result[1] ?? null;
        if (socket !== null) {
          rewriteReads(socket, scanner);
          writeError = null;
          writes = surviveFailedWrites(socket, {
            onFailed: (error) => (writeError = error),
            onNothingSent: () => (sentNothing = true),
          });
          const timer = setTimeout(retire, maxAgeMs * (1 - Math.random() / 5)).unref();
          socket.once('close', () => clearTimeout(timer));
        }
        callback(...result);
      });
    },
  });
  const connection: Connection = {
    get socket() {
      return socket;
    },
    get retired() {
      return retired || writeError !== null;
    },
    get isSending() {
      return socket !== null && socket.writableLength > 0;
    },
    get writeError() {
      return writeError;
    },
    get sentNothing() {
      return sentNothing;
    },
    idleSince: 0,
    send(request, user) {
      user.connection = connection;
      client.dispatch(request, user);
    },
    expectResponse() {
      scanner.expect();
      writes?.expectRequest();
    },
    close: () => client.close().catch(() => undefined),
    destroy: () => void client.destroy(),
  };
  return connection;
}

interface InterimScanner {
  expect(): void;
  scan(chunk: Buffer): void;
}

function rewriteReads(socket: Socket, scanner: InterimScanner): void {
  const read = socket.read.bind(socket);
  socket.read = (size?: number): Buffer | null => {
    const chunk = read(size) as Buffer | null;
    if (chunk !== null) scanner.scan(chunk);
    return chunk;
  };
}

type WriteCallback = (error?: Error | null) => void;

interface WriteWatch {
  /** The next bytes written begin a request. */
  expectRequest(): void;
}

interface WriteEvents {
  readonly onFailed: (error: Error) => void;
  readonly onNothingSent: () => void;
}

/**
 * A backend may answer an upload before it has read it, and close: the next write then fails, and Node would throw away what
 * was received. So a failed write ends the upload alone: it is never reported done, which holds back the rest, and the end of
 * the connection is found by reading up to it (RFC 9112 9.3).
 *
 * If the first write of a request is refused within the call, the kernel took nothing of it, and whatever may still be read is
 * no answer to it: the connection ends at once. TLS may fail in the same way after it has sent something.
 */
function surviveFailedWrites(socket: Socket, { onFailed, onNothingSent }: WriteEvents): WriteWatch {
  const tells = !('encrypted' in socket);
  let isFirst = false;
  let isWithin = false;
  const begin = (done: WriteCallback): WriteCallback => {
    const first = isFirst;
    isFirst = false;
    isWithin = true;
    return (error) => {
      if (!error) return done(error);
      if (!first || !isWithin) return onFailed(error);
      onNothingSent();
      socket.destroy(error);
    };
  };
  /* oxlint-disable no-underscore-dangle -- the only place where a failed write can be met before it destroys the socket */
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, done) => {
    write(chunk, encoding, begin(done));
    isWithin = false;
  };
  const writeMany = socket._writev?.bind(socket);
  if (writeMany !== undefined)
    socket._writev = (chunks, done) => {
      writeMany(chunks, begin(done));
      isWithin = false;
    };
  /* oxlint-enable no-underscore-dangle */
  return { expectRequest: () => (isFirst = tells) };
}

const LF = 0x0a;
const CR = 0x0d;
const ZERO = 0x30;
const ONE = 0x31;
const TWO = 0x32;
/** Where the three digits stand in `HTTP/1.1 100`. */
const FIRST_DIGIT = 9;
const LAST_DIGIT = 11;

/**
 * A client must be able to read a 100 that it did not ask for (RFC 9110 15.2), and old backends send it to every POST;
 * undici drops the connection. So the status of such a response becomes 102, in place, which undici passes over.
 * Works across chunk borders, and looks only at the heads of interim responses before a final one.
 */
function createInterimScanner(): InterimScanner {
  let reading: 'nothing' | 'status' | 'interim-head' = 'nothing';
  let column = 0;
  let lineIsEmpty = false;

  const readStatus = (chunk: Buffer, index: number): void => {
    const byte = chunk[index];
    if (column === FIRST_DIGIT && byte !== ONE) reading = 'nothing';
    else if (column === FIRST_DIGIT + 1 && byte !== ZERO) reading = 'interim-head';
    else if (column === LAST_DIGIT) {
      if (byte === ZERO) chunk[index] = TWO;
      reading = 'interim-head';
    }
    column += 1;
    lineIsEmpty = false;
  };

  const readInterimHead = (byte: number | undefined): void => {
    if (byte === LF && lineIsEmpty) {
      reading = 'status';
      column = 0;
    } else if (byte === LF) lineIsEmpty = true;
    else if (byte !== CR) lineIsEmpty = false;
  };

  return {
    expect() {
      reading = 'status';
      column = 0;
    },
    scan(chunk) {
      for (let index = 0; index < chunk.length; index += 1) {
        if (reading === 'nothing') return;
        if (reading === 'status') readStatus(chunk, index);
        else readInterimHead(chunk[index]);
      }
    },
  };
}
