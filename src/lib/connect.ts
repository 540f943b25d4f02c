/**
 * Opens a TCP connection to the first address of a host that answers (RFC 8305). Each address is tried a moment after the one
 * before, and the earlier attempts go on: a slow address wins if it is the only one that answers. Sends nothing.
 */
import net, { type Socket } from 'node:net';
import { LookupFailure, type Lookup } from './lookup.ts';

export interface ConnectRequest {
  /** A name, perhaps with a final dot, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** For all of it: finding the name, and every address. */
  readonly timeoutMs: number;
  readonly highWaterMark?: number;
  /** Handed in by tests that need an address that is slow to answer. */
  readonly open?: typeof net.connect;
}

export interface Connecting {
  /** @throws Error with the `code` of the first failure; `ETIMEDOUT` when time ran out. */
  readonly socket: Promise<Socket>;
  /** Gives up: the promise rejects, unless it has settled. */
  readonly cancel: () => void;
}

/** How long an address is tried alone before the next one is tried beside it (RFC 8305 5). */
const NEXT_ADDRESS_MS = 250;
/** The most addresses of one name that are tried. */
const MAX_ADDRESSES = 16;

/** Connects as soon as the name is found. */
export function connectTo(lookup: Lookup, request: ConnectRequest): Connecting {
  const race = new Race(request);
  lookup(request.host).then(
    (addresses) => race.run(addresses.slice(0, MAX_ADDRESSES)),
    (error: unknown) => race.fail(error as Error),
  );
  return { socket: race.result, cancel: () => race.fail(coded('ECONNABORTED', 'given up')) };
}

class Race {
  readonly result: Promise<Socket>;
  readonly #request: ConnectRequest;
  readonly #attempts = new Set<Socket>();
  readonly #errors: Error[] = [];
  readonly #deadline: NodeJS.Timeout;
  #addresses: readonly string[] = [];
  #tried = 0;
  #next: NodeJS.Timeout | undefined;
  #settled = false;
  #resolve: (socket: Socket) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(request: ConnectRequest) {
    this.#request = request;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#deadline = setTimeout(() => this.fail(this.#late()), request.timeoutMs);
  }

  run(addresses: readonly string[]): void {
    this.#addresses = addresses;
    this.#tryNext();
  }

  fail(error: Error): void {
    this.#settle(null);
    this.#reject(error);
  }

  #tryNext(): void {
    clearTimeout(this.#next);
    if (this.#settled) return;
    const address = this.#addresses[this.#tried];
    if (address === undefined) {
      if (this.#attempts.size === 0) this.fail(this.#allFailed());
      return;
    }
    this.#tried += 1;
    this.#try(address);
    if (this.#tried < this.#addresses.length) this.#next = setTimeout(() => this.#tryNext(), NEXT_ADDRESS_MS);
  }

  #try(address: string): void {
    const { port, highWaterMark, open = net.connect } = this.#request;
    const socket = open({ host: address, port, ...(highWaterMark !== undefined && { highWaterMark }) });
    this.#attempts.add(socket);
    const failed = (error: Error): void => {
      this.#attempts.delete(socket);
      this.#errors.push(error);
      this.#tryNext();
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      this.#settle(socket);
      this.#resolve(socket);
    });
  }

  #settle(winner: Socket | null): void {
    this.#settled = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#next);
    for (const attempt of this.#attempts) if (attempt !== winner) attempt.on('error', () => undefined).destroy();
    this.#attempts.clear();
  }

  #late(): Error {
    const { host, port, timeoutMs } = this.#request;
    const failed = this.#errors.map((error) => `; ${error.message}`).join('');
    const what = this.#addresses.length === 0 ? `lookup of ${host}` : `connect to ${this.#addresses.join(', ')}`;
    return coded('ETIMEDOUT', `${what} (port ${port}) took longer than ${timeoutMs / 1000} s${failed}`);
  }

  #allFailed(): Error {
    const first = this.#errors[0];
    if (first === undefined) return new LookupFailure('ENOTFOUND', this.#request.host, '');
    if (this.#errors.length === 1) return first;
    const { code = '' } = first as NodeJS.ErrnoException;
    return coded(code, this.#errors.map((error) => error.message).join('; '));
  }
}

/** An error as the system makes it: with a code to tell it by. */
export function coded(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
