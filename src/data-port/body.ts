/**
 * Reads a request body into memory, for the routes whose events are judged. Bounded: never holds more than it was told to.
 */
import type { IncomingMessage } from 'node:http';

export type CollectedBody = Buffer | 'too_large' | 'aborted';

/**
 * Reads the whole body and calls `done` exactly once: with the bytes, with `too_large` once more than `maxBytes` arrived, or
 * with `aborted` when the client went away first.
 */
export function collectBody(req: IncomingMessage, maxBytes: number, done: (body: CollectedBody) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size > maxBytes) finish('too_large');
    else chunks.push(chunk);
  };
  const onEnd = (): void => finish(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
  const onClose = (): void => finish('aborted');
  const finish = (body: CollectedBody): void => {
    req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    done(body);
  };
  req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
}
