/** What Node's own client makes of an answer, without a network: its parser, its agent, and a stream in place of a socket. */
import http from 'node:http';
import { Duplex } from 'node:stream';
import { cut, type AnswerCase, type Reading } from './generated-answers.ts';

class FakeSocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
  setTimeout = (): this => this;
  setNoDelay = (): this => this;
  setKeepAlive = (): this => this;
  ref = (): this => this;
  unref = (): this => this;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** null: it refuses the answer, or has not read the end of it. A connection that the backend has ended is not used again. */
export async function readByNode({ method, bytes, cuts, ends }: AnswerCase): Promise<Reading | null> {
  const socket = new FakeSocket();
  const agent = Object.assign(new http.Agent({ keepAlive: true, maxSockets: 1 }), { createConnection: () => socket });
  let reading: Reading | null = null;
  const ignore = (): void => undefined;
  const req = http.request({ agent, method, host: 'backend', path: '/', maxHeaderSize: 65_536 }, (res) => {
    let body = '';
    res.on('data', (piece: Buffer) => (body += piece.toString('latin1')));
    res.on('error', ignore);
    res.on('end', () => {
      const { statusCode: status = 0, statusMessage: reason = '', rawHeaders: headers, rawTrailers: trailers } = res;
      if (res.complete) reading = { status, reason, headers, body, trailers, reusable: false };
    });
  });
  req.on('error', ignore);
  req.on('upgrade', ignore);
  socket.on('error', ignore);
  req.end();
  await nextTurn();
  for (const piece of cut(bytes, cuts)) socket.push(Buffer.from(piece));
  if (ends) socket.push(null);
  await nextTurn();
  await nextTurn();
  const kept = !ends && !socket.destroyed && Object.keys(agent.freeSockets).length > 0;
  socket.destroy();
  agent.destroy();
  const read = reading as Reading | null;
  return read === null ? null : { ...read, reusable: kept };
}
