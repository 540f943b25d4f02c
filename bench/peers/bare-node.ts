/**
 * The least that a Node server can cost: answers every request with 204. Also the backend where nginx is not at hand.
 * Arguments: port.
 */
import { createServer } from 'node:http';

createServer((_req, res) => void res.writeHead(204).end()).listen(Number(process.argv[2]), '127.0.0.1');
