/**
 * What one would write to cut events out of batches: @fastify/http-proxy behind Fastify's own JSON parser.
 * Arguments: port, address of the backend, allowed event names joined by commas.
 */
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, upstream = '', names = ''] = process.argv.slice(2);
const allowed = new Set(names.split(','));
const app = fastify({ bodyLimit: 2 * 1024 * 1024 });
await app.register(httpProxy, {
  upstream,
  proxyPayloads: false,
  preHandler: async (req) => {
    const batch = req.body as { events: { name: string }[] };
    batch.events = batch.events.filter(({ name }) => allowed.has(name));
  },
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
