/**
 * One keep-alive connection to a backend: undici's client, plus knowledge of the socket under it.
 * Lets interim 100 responses through that undici would take for an attack; never touches any other byte.
 */
import { type buildConnector, Client, type Dispatcher } from 'undici';
import type { Socket } from 'node:net';

/** What a request under way may know of its connection. */
export interface Connection {
  /** null until connected. */
  readonly socket: Socket | null;
  /** A request is about to be written: the next bytes read begin a response. */
  expectResponse(): void;
}

/** A handler of undici's callbacks that wants to know its connection. */
export interface ConnectionUser {
  connection: Connection | null;
}

/** Makes a client whose every handler (a `ConnectionUser`) is told its connection before it is queued there. */
export function createConnection(origin: URL, options: Client.Options, connect: buildConnector.connector): Client {
  const scanner = createInterimScanner();
  let socket: Socket | null = null;
  const connection: Connection = {
    get socket() {
      return socket;
    },
    expectResponse: () => scanner.expect(),
  };
  const client = new Client(origin, {
    ...options,
    connect: (target, callback) => {
      connect(target, (...result) => {
        // Its types promise null beside an error; it gives nothing.
        socket = result[1] ?? null;
        if (socket !== null) rewriteReads(socket, scanner);
        callback(...result);
      });
    },
  });
  const dispatch = client.dispatch.bind(client);
  client.dispatch = (request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean => {
    (handler as Dispatcher.DispatchHandler & ConnectionUser).connection = connection;
    return dispatch(request, handler);
  };
  return client;
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
