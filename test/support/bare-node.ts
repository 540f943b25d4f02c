/** Node's HTTP server with nothing behind it, run as a program: what a connection costs that Postern cannot help. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

const server = http.createServer({ keepAliveTimeout: 75_000 }, (req, res) => {
  req.resume();
  res.writeHead(204).end();
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
