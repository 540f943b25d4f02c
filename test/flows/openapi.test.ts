/** An API whose routes are those of an OpenAPI document. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { codeOf, EVENTS_SECRET, SERVER_SECRET, startFlow, written } from '../support/flow.ts';

const DOCUMENT = `openapi: 3.1.0
servers: [{ url: "https://api.example.com/v1" }]
paths:
  /orders/{id}: { get: {} }
  /track: { $ref: "./track.yaml" }
`;
const TRACK = (events: string): string => `post: { x-postern: { events: ${events} } }\n`;

t.test('routes, events and changes come from the document and what it refers to', async (t) => {
  const folder = t.testdir({ 'api.yaml': DOCUMENT, 'track.yaml': TRACK('name') });
  const { raw, postern, backend } = await startFlow(t, {
    api: { openapi: join(folder, 'api.yaml'), unlisted: 'refuse' },
  });
  const ask = async (secret: string, method: string, target: string, body?: string) => {
    const answer = await raw(written({ secret, method, target, ...(body === undefined ? {} : { body }) }));
    return codeOf(answer) || answer.status;
  };
  const reloaded = async (change: () => void): Promise<void> => {
    const from = postern.lines.length;
    change();
    while (!postern.lines.slice(from).some(({ msg }) => String(msg).startsWith('config_reload')))
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  t.equal(await ask(SERVER_SECRET, 'GET', '/v1/orders/7'), 204);
  t.equal(await ask(SERVER_SECRET, 'GET', '/orders/7'), 'route_not_allowed');
  t.equal(await ask(SERVER_SECRET, 'DELETE', '/v1/orders/7'), 'route_not_allowed');
  t.equal(await ask(EVENTS_SECRET, 'POST', '/v1/track', '{"name":"login"}'), 204);
  t.equal(await ask(EVENTS_SECRET, 'POST', '/v1/track', '{"name":"other"}'), 'event_not_allowed');

  await reloaded(() => writeFileSync(join(folder, 'track.yaml'), TRACK('type')));
  t.equal(await ask(EVENTS_SECRET, 'POST', '/v1/track', '{"type":"login","name":"other"}'), 204);

  await reloaded(() => writeFileSync(join(folder, 'api.yaml'), DOCUMENT.replace('get: {}', 'get: {}, delete: {}')));
  t.equal(await ask(SERVER_SECRET, 'DELETE', '/v1/orders/7'), 204);

  // What is wrong changes nothing.
  await reloaded(() => writeFileSync(join(folder, 'track.yaml'), 'post: { x-postern: { evnts: name } }\n'));
  t.match(postern.logText(), /evnts is not a known field/);
  t.equal(await ask(EVENTS_SECRET, 'POST', '/v1/track', '{"type":"other"}'), 'event_not_allowed');
  t.equal(backend.requests.length, 4);
});
