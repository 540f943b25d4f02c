/**
 * @fastify/http-proxy as its README shows it: no policy, no log. Arguments: port, address of the backend.
 */
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, upstream = ''] = process.argv.slice(2);
const app = fastify();
await app.register(httpProxy, { upstream });
await app.listen({ port: Number(port), host: '127.0.0.1' });
