/** A request as Node's server hands it over, and the client that sent it. */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { RawClient } from './upstream.ts';

/** The first request of `bytes`, when its header section has been parsed. */
export async function received(t: Test, bytes: string): Promise<{ req: IncomingMessage; client: RawClient }> {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const request = once(server, 'request') as Promise<[IncomingMessage]>;
  const client = new RawClient(t, (server.address() as AddressInfo).port);
  client.write(bytes);
  const [req] = await request;
  return { req, client };
}

/** The header section of a POST with a body of this length. */
export const head = (length: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
