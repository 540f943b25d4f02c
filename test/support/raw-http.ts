/**
 * A client that sends exact bytes, for requests that no HTTP library would send, and reads what comes back.
 */
import net from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names; repeated fields joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Everything received, one character a byte. */
  readonly text: string;
  /** Whether the server closed the connection. */
  readonly closed: boolean;
}

/**
 * Sends the bytes and resolves with the first answer once it is whole by its Content-Length (or the connection is closed).
 * With `untilClose` it waits for the close, so that `text` shows every answer on the connection.
 */
export function sendRaw(
  port: number,
  bytes: string | Buffer,
  { untilClose = false, timeoutMs = 60_000 }: { untilClose?: boolean; timeoutMs?: number } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () =>
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    );
    let text = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no whole answer in ${timeoutMs} ms: ${JSON.stringify(text)}`));
    }, timeoutMs);
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(parseAnswer(text, closed));
    };
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => {
      text += data;
      if (!untilClose && isWhole(text)) finish(false);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => finish(true));
  });
}

/** Takes the first answer in a text apart. */
export function parseAnswer(text: string, closed: boolean): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end === -1 ? text.length : end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers,
    body: end === -1 ? '' : text.slice(end + 4),
    text,
    closed,
  };
}

/** Whether the text holds a whole answer, by its Content-Length or chunks. */
export function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const { headers, body, status } = parseAnswer(text, false);
  if (status === 204 || status === 304) return true;
  if (headers['transfer-encoding'] === 'chunked') return body.endsWith('0\r\n\r\n');
  return body.length >= Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
}
