/**
 * Bounds how many answers of one HTTP connection wait for its client or for each other. Node reads all requests of a packet before
 * it looks at what waits, and a packet holds thousands: from the second request behind an unfinished answer on, such a connection
 * is handed to Node's parser request by request, and not at all while enough wait. Costs other connections nothing.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createRequestCutter, type RequestCutter } from './request-cutter.ts';

/**
 * The most requests of one connection that are under way, or whose answer its client has not taken; until then no further one is
 * read. More would gain little, since answers go out in order, and each may hold a body and an answer of a megabyte.
 */
export const MAX_WAITING_ANSWERS = 2;

/** The same within a request: on a connection where each head comes with the end of a chunked body there is no place between two. */
const MOST_WITHIN_REQUEST = MAX_WAITING_ANSWERS + 2;

/** Sees the packets of a connection before Node's parser does. */
export interface PacketWatcher {
  readonly onPacket: (packet: Buffer) => void;
  /** The parser stopped in the packet at hand: what is behind this place comes again, as a packet of its own. */
  readonly onCut: (at: number) => void;
}

/** To be called first for each request that a server emits. */
export function keepPace(req: IncomingMessage, res: ServerResponse): void {
  const socket = req.socket as PacedSocket;
  // The last answer is out, and those that wait behind it will never go out: one that finished out of turn would end the process.
  if (socket.writableEnded) return res.detachSocket(socket);
  const pace = socket[PACE];
  if (pace !== undefined) pace.take(req, res);
  // An answer gets the socket at once, unless it has to wait for those before it.
  else if (res.socket === null) (socket[PACE] = new Pace(socket)).take(req, res);
}

/** Keeps the server's `clientError` listeners from hearing of pauses, which Node's parser reports as errors. To be called last. */
export function hidePauses(server: Server): void {
  const inner = server.listeners('clientError') as ((this: Server, error: Error, socket: Socket) => void)[];
  server.removeAllListeners('clientError');
  server.on('clientError', (error: ParserError, socket) => {
    const pace = error.code === 'HPE_PAUSED' ? (socket as PacedSocket)[PACE] : undefined;
    if (pace !== undefined) pace.takeOver(error);
    else for (const listener of inner) listener.call(server, error, socket as Socket);
  });
}

/** The last of the answers on a connection that are not out, as far as requests were read; null when all are. */
export function latestAnswerOn(socket: Socket): ServerResponse | null {
  const { [PACE]: pace, _httpMessage: first } = socket as PacedSocket;
  return pace?.latest ?? first ?? null;
}

/**
 * Says `100 Continue` to the client as soon as those before it on its connection are answered, unless its body is there by then.
 * Node would put it behind the head of an answer that has to wait: into the body.
 */
export function continueInTurn(req: IncomingMessage, res: ServerResponse): void {
  if (res.socket !== null) return res.writeContinue();
  // Without a 100 before it, Node makes an answer the last one: the body might not have been sent.
  // oxlint-disable-next-line no-underscore-dangle
  req.once('end', () => ((res as { _expect_continue?: boolean })._expect_continue = false));
  const assign = res.assignSocket.bind(res);
  res.assignSocket = (socket) => {
    assign(socket);
    if (!res.headersSent && !req.complete) res.writeContinue();
  };
}

/**
 * For a connection that has left HTTP: calls back once the answers to its earlier requests are out, and never if the connection
 * is over by then. Node does nothing more for these answers.
 */
export function onceAnswered(socket: Socket, then: () => void): void {
  const latest = latestAnswerOn(socket);
  if (latest === null) return then();
  // oxlint-disable-next-line no-underscore-dangle
  socket.on('drain', () => (socket as PacedSocket)._httpMessage?.emit('drain')).resume();
  latest.once('finish', () => {
    if (socket.writable) then();
  });
}

/** Shows a connection's packets to a watcher, from the next one on, for the life of the connection. To be called once for each. */
export function watchPackets(socket: Socket, watcher: PacketWatcher): void {
  const { [PACE]: pace } = socket as PacedSocket;
  (socket as PacedSocket)[WATCHER] = watcher;
  if (pace?.watch(watcher) !== true) socket.prependListener('data', watcher.onPacket);
}

/** Symbols, not WeakMaps: every request asks. */
const PACE = Symbol('pace');
const WATCHER = Symbol('packet watcher');

/** What Node has no public name for; all of it is there in Node 20 to 24. */
interface PacedSocket extends Socket {
  [PACE]?: Pace;
  [WATCHER]?: PacketWatcher;
  /** null once the connection has left HTTP. */
  readonly parser?: { onIncoming: OnIncoming; readonly resume: () => void } | null;
  readonly _httpMessage?: ServerResponse | null;
  /** Node itself waits until the client has taken more. */
  readonly _paused?: boolean;
}

type OnIncoming = (req: IncomingMessage, keepAlive: boolean) => number;

interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** llhttp's own number for it: what the listener for a head returns decides how the parser goes on. */
const HPE_PAUSED = 21;

type TakePacket = (packet: Buffer) => void;

class Pace {
  latest: ServerResponse | null = null;
  readonly #socket: PacedSocket;
  readonly #cutter: RequestCutter = createRequestCutter();
  #waiting = 0;
  /** Who gets the packets: a watcher, then Node's parser. null as long as they still listen to the socket themselves. */
  #takers: TakePacket[] | null = null;
  #held = false;

  constructor(socket: PacedSocket) {
    this.#socket = socket;
    // Each answer that waits listens to the socket.
    socket.setMaxListeners(0);
    // oxlint-disable-next-line no-underscore-dangle
    if (socket._httpMessage) this.#await(socket._httpMessage);
    this.#pauseAtNextRequest();
  }

  take(req: IncomingMessage, res: ServerResponse): void {
    this.#await(res);
    if (this.#takers !== null) this.#cutter.headEnded(req);
  }

  /** Whether the watcher was put in front of the parser. */
  watch({ onPacket }: PacketWatcher): boolean {
    if (this.#takers === null) return false;
    // Not into the list itself, which is being gone through.
    this.#takers = [onPacket, ...this.#takers];
    return true;
  }

  /** Node's parser stopped within a packet. From now on packets come by here first. */
  takeOver({ rawPacket = NOTHING, bytesParsed = 0 }: ParserError): void {
    const socket = this.#socket;
    // Makes Node leave its fast path, on which no packet is seen.
    socket.on('data', this.#onPacket);
    // A connection paused on the fast path is not read, and would never be again: the stream takes its request for data as made.
    // oxlint-disable-next-line no-underscore-dangle
    socket._read(0);
    const takers = (socket.listeners('data') as TakePacket[]).filter((listener) => listener !== this.#onPacket);
    for (const listener of takers) socket.off('data', listener);
    this.#takers = takers;
    socket[WATCHER]?.onCut(bytesParsed);
    socket.parser?.resume();
    this.#goOn(rawPacket.subarray(bytesParsed));
  }

  /** The parser stopped behind a head. Without a body the request is complete as soon as it goes on. */
  #goOn(rest: Buffer): void {
    const socket = this.#socket;
    // Node would end the process if its parser were given anything now.
    // oxlint-disable-next-line no-underscore-dangle
    if (socket._paused === true) {
      this.#giveBack(rest);
      socket.once('resume', () => this.#goOn(NOTHING));
      return;
    }
    this.#handOver(NOTHING);
    this.#onPacket(rest);
  }

  #await(res: ServerResponse): void {
    this.#waiting++;
    this.latest = res;
    res.once('finish', this.#onOut);
  }

  readonly #onOut = (): void => {
    this.#waiting--;
    if (this.#waiting === 0) this.latest = null;
    if (!this.#held) return;
    this.#held = false;
    this.#socket.resume();
  };

  #pauseAtNextRequest(): void {
    const { parser } = this.#socket;
    if (parser === null || parser === undefined) return;
    const take = parser.onIncoming;
    parser.onIncoming = (req, keepAlive) => {
      const said = take(req, keepAlive);
      // Behind a head that asks for an upgrade Node drops what is left of the packet.
      if (said !== 0 || this.#waiting < 2 || req.headers.upgrade !== undefined) return said;
      parser.onIncoming = take;
      this.#cutter.headEnded(req);
      return HPE_PAUSED;
    };
  }

  readonly #onPacket = (packet: Buffer): void => {
    let rest = packet;
    while (rest.length > 0) {
      if (this.#mustWait()) return this.#giveBack(rest);
      const end = this.#cutter.nextEnd(rest);
      this.#handOver(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };

  #handOver(piece: Buffer): void {
    for (const take of this.#takers ?? []) {
      // The parser is another connection's once this one has left HTTP.
      if (!this.#socket.parser || this.#socket.destroyed) return;
      take(piece);
    }
    this.#cutter.handedOver(piece);
  }

  #mustWait(): boolean {
    const socket = this.#socket;
    // oxlint-disable-next-line no-underscore-dangle
    if (socket._paused === true || socket.isPaused()) return true;
    this.#held = this.#cutter.isBetweenRequests()
      ? this.#waiting >= MAX_WAITING_ANSWERS || (this.#waiting > 0 && socket.writableLength > 0)
      : this.#waiting >= MOST_WITHIN_REQUEST;
    return this.#held;
  }

  /** Node may let the socket flow again by itself: then it comes here again, and goes back again. */
  #giveBack(rest: Buffer): void {
    const socket = this.#socket;
    socket.pause();
    if (rest.length === 0 || socket.destroyed || socket.readableEnded) return;
    // A copy, if a view would keep a much larger packet in memory.
    socket.unshift(rest.length * 2 < rest.buffer.byteLength ? Buffer.from(rest) : rest);
  }
}

const NOTHING = Buffer.alloc(0);
