/**
 * The least that passing a request on takes with Node's server and undici, and no rule at all: what Postern builds on.
 * Arguments: port, upstream origin.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool, type Dispatcher } from 'undici';

const [port, origin] = process.argv.slice(2) as [string, string];
const pool = new Pool(origin, { connections: 128, pipelining: 1 });
const NOT_PASSED_ON = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive']);

createServer((req, res) => {
  // The body of the same packet is there an immediate later, which is when small ones are whole.
  setImmediate(() => passOn(req, res));
}).listen(Number(port), '127.0.0.1');

function passOn(req: IncomingMessage, res: ServerResponse): void {
  const body = req.read() as Buffer | null;
  req.resume();
  const headers = [...passed(req.rawHeaders), 'X-Forwarded-For', req.socket.remoteAddress ?? ''];
  pool.dispatch({ path: req.url ?? '/', method: req.method as Dispatcher.HttpMethod, headers, body }, answerTo(res));
}

function answerTo(res: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onConnect: () => {},
    onHeaders(status, rawHeaders, _resume, text) {
      res.writeHead(status, text, passed(rawHeaders.map((part) => part.toString('latin1'))));
      return true;
    },
    onData: (chunk) => res.write(chunk),
    onComplete: () => void setImmediate(() => res.end()),
    onError: () => void res.destroy(),
  };
}

function passed(fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2)
    if (!NOT_PASSED_ON.has((fields[i] as string).toLowerCase()))
      kept.push(fields[i] as string, fields[i + 1] as string);
  return kept;
}
