/**
 * Takes a request body into memory: at once if it has arrived whole, else as it arrives. Never holds more than it was told to.
 */
import type { IncomingMessage } from 'node:http';
import { GatheredBytes } from '../lib/gathered-bytes.ts';
import { atTurnEnd } from '../lib/turn-end.ts';

/** `no_room`: whoever was asked for room for more of it had none. */
export type CollectedBody = Buffer | 'too_large' | 'no_room' | 'aborted';

export interface BodyFraming {
  /** As declared in Content-Length; null when chunked. */
  readonly contentLength: number | null;
  readonly maxBytes: number;
}

export interface Collecting extends BodyFraming {
  /** Asked for room for so many more bytes, before they are kept. */
  readonly hasRoom: (bytes: number) => boolean;
}

/**
 * Reads the whole body and calls `done` exactly once, later: with the bytes, with `too_large` once more than `maxBytes`
 * arrived, all of which can still be read, or with `aborted` when the client went away first, even if that was before this call.
 */
export function collectBody(req: IncomingMessage, collecting: Collecting, done: (body: CollectedBody) => void): void {
  // Node hands over a request before the body bytes of the same packet.
  atTurnEnd(() => {
    const arrived = arrivedBody(req, collecting);
    if (arrived === null) collectRest(req, collecting, done);
    else done(typeof arrived === 'string' || collecting.hasRoom(arrived.length) ? arrived : 'no_room');
  });
}

/** The body, if it is all there and not too large, as small ones mostly are with their header: no stream has to run for it. null if it is not. */
export function arrivedBody(
  req: IncomingMessage,
  { contentLength, maxBytes }: BodyFraming,
): Buffer | 'too_large' | null {
  // Node reports the last byte of a body before it reports its end.
  if (req.destroyed || (!req.complete && req.readableLength !== contentLength)) return null;
  if (req.readableLength > maxBytes) return 'too_large';
  const bytes = (req.read() as Buffer | null) ?? NOTHING;
  // Lets the end come, so that the server finds the request consumed.
  req.resume();
  return bytes;
}

const NOTHING = Buffer.alloc(0);

function collectRest(
  req: IncomingMessage,
  { maxBytes, hasRoom }: Collecting,
  done: (body: CollectedBody) => void,
): void {
  // Its `close` was emitted already and comes no second time.
  if (req.destroyed) return done('aborted');
  const gathered = new GatheredBytes(maxBytes);
  const onData = (chunk: Buffer): void => {
    if (!hasRoom(chunk.length)) return finish('no_room');
    gathered.add(chunk);
    if (gathered.size > maxBytes) finish('too_large');
  };
  const onEnd = (): void => finish(gathered.bytes);
  const onClose = (): void => finish('aborted');
  const finish = (body: CollectedBody): void => {
    req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    // Whoever lets it pass all the same finds it as it came.
    if (body === 'too_large') req.pause().unshift(gathered.bytes);
    done(body);
  };
  req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
}
