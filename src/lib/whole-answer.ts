/**
 * Ends an answer whose whole body is at hand, with one write for its header section and its body. Node's own `end` gives the
 * kernel both and an empty third piece, which takes a dearer call.
 */
import type { ServerResponse } from 'node:http';

/** In bytes; libuv copies text up to 16 KiB onto its stack, with the header section. A longer body is not worth the copy. */
const COPY_LIMIT = 8192;

/** Ends an answer whose header section is written (`writeHead`). `body`: bytes, or a text with one character for each (latin1). */
export function endWhole(res: ServerResponse, body: Buffer | string): void {
  const { socket } = res;
  // A pipelined answer has no socket until those before it are out; a chunked one has more pieces than these.
  if (socket === null || res.chunkedEncoding || body.length === 0 || body.length > COPY_LIMIT) {
    res.end(body, 'latin1');
    return;
  }
  socket.cork();
  // Text in latin1 is what Node joins to the header section, instead of queueing both.
  res.write(typeof body === 'string' ? body : body.toString('latin1'), 'latin1');
  socket.uncork();
  res.end();
}
