/** A request is judged alike on a connection of its own and after any others on a kept one. */
import * as fc from 'fast-check';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { EVENTS_SECRET, SERVER_SECRET, startFlow, WEB_SECRET } from '../support/flow.ts';
import { isWhole, parseAnswer, sendRaw, type RawAnswer } from '../support/raw-http.ts';
import { RawClient } from '../support/upstream.ts';

const FIELDS = ['X-A: b', 'x-a: b\x01', 'Content_Length: 1', 'Origin: https://a.example', 'X-Forwarded-For: 192.0.2.1'];
const SECRETS = [SERVER_SECRET, EVENTS_SECRET, WEB_SECRET, 'wrong', `${EVENTS_SECRET}x`];
const TARGETS = [
  '/event/ingest',
  '/event/ingest?a',
  '/event/ingest/batch',
  '/EVENT/ingest',
  '/event//ingest',
  '/event/%69ngest',
  '/profile/u1',
  '/metrics/query',
  '/.well-known/jwks.json',
];
const BODIES = ['{"name":"login"}', '{"name":"other"}', '[{"name":"login"},{"name":"other"}]', ''];

const PARTS = {
  method: fc.constantFrom('POST', 'POST', 'GET', 'OPTIONS'),
  target: fc.constantFrom(...TARGETS),
  host: fc.constantFrom('api.test', 'api.test', 'other.test'),
  secret: fc.constantFrom(...SECRETS),
  fields: fc.subarray(FIELDS, { maxLength: 2 }),
  body: fc.constantFrom(...BODIES),
};

/** One request, and others that differ from it in one part or in none. */
const sequence = fc
  .tuple(
    fc.record(PARTS),
    fc.array(fc.oneof(fc.constant({}), ...Object.entries(PARTS).map(([part, value]) => fc.record({ [part]: value }))), {
      minLength: 2,
      maxLength: 8,
    }),
  )
  .map(([base, changes]) => changes.map((change) => bytesOf({ ...base, ...change })));

interface Parts {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly secret: string;
  readonly fields: readonly string[];
  readonly body: string;
}

function bytesOf({ method, target, host, secret, fields, body }: Parts): string {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${secret}`, ...fields];
  if (method === 'POST') lines.push('Content-Type: application/json', `Content-Length: ${body.length}`);
  return `${lines.join('\r\n')}\r\n\r\n${method === 'POST' ? body : ''}`;
}

/** What must not depend on what came before: the status, the code of a refusal, what the backend got. */
function verdictOn({ status, body }: RawAnswer, forwarded: readonly unknown[]): unknown {
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  return { status, code, forwarded };
}

async function answerOn(client: RawClient): Promise<RawAnswer> {
  while (!isWhole(client.text) && !client.socket.closed)
    await Promise.race([once(client.socket, 'data').catch(() => {}), client.closed]);
  const answer = parseAnswer(client.text, client.socket.closed);
  client.text = '';
  return answer;
}

t.test('what came before on the connection changes no verdict', async (t: Test) => {
  const { postern, backend } = await startFlow(t, { api: { hosts: ['api.test'] } });
  const taken = () =>
    backend.requests.splice(0).map(({ method, url, headers, body }) => {
      const { 'x-request-id': _, connection: __, ...others } = headers;
      return { method, url, others, body: body.toString() };
    });
  let answered = 0;
  const alone = new Map<string, unknown>();
  await t.resolves(
    fc.assert(
      fc.asyncProperty(sequence, async (requests) => {
        let client = new RawClient(t, postern.port);
        for (const bytes of requests) {
          if (!alone.has(bytes)) alone.set(bytes, verdictOn(await sendRaw(postern.port, bytes), taken()));
          client.write(bytes);
          const answer = await answerOn(client);
          t.same(verdictOn(answer, taken()), alone.get(bytes), bytes);
          answered++;
          if (answer.headers['connection'] !== 'close') continue;
          await client.closed;
          client = new RawClient(t, postern.port);
        }
        client.socket.destroy();
      }),
      { numRuns: 150 },
    ),
  );
  t.ok(answered > 300);
});
