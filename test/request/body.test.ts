/** What becomes of a body, by what is known of its request: who looks into it, and what is passed on. */
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { compileAllowRule } from '../../src/keys/address-rule.ts';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import type { Key } from '../../src/keys/key.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import { allowed } from '../../src/refusal.ts';
import { readText } from '../../src/request/body.ts';
import type { PolicyWorld } from '../../src/request/checks.ts';
import { NOWHERE, type Routed } from '../../src/request/passage.ts';
import { serveGateway } from '../support/exchanges.ts';
import { parseAnswer } from '../support/raw-http.ts';
import { apiRules, bearer, factsOf, key, passageOf, rulesOf, WORLD } from '../support/passages.ts';
import { RawClient } from '../support/upstream.ts';

const NOBODY = compileAllowRule([]);

const LOGIN: Partial<Key> = { allowedEvents: new Set(['login']) };
const IN_BODY: Partial<ApiRules> = {
  credential: [{ kind: 'bearer' }, { kind: 'body', name: 'api_key', find: compileMemberSearch('api_key') }],
  looksIntoBody: true,
};
const WITH_KEY = '{"api_key":"secret-of-k","name":"login"}';
const BY_HEADER = `${bearer('k').join(': ')}\r\n`;

interface Given {
  readonly key?: Partial<Key>;
  readonly api?: Partial<ApiRules>;
  readonly rate?: PolicyWorld['rate'];
  /** Header fields, each with its line end. */
  readonly fields?: string;
  readonly path?: string;
}

/** One request of a client that waits for `100 Continue`: what it got, and what the backend did. */
async function taken(t: Test, given: Given, body: string | Buffer) {
  const rules = rulesOf([key('k', given.key)], { integration: apiRules(given.api) });
  const { port, backend, outcomes } = await serveGateway(t, {
    rules: () => rules,
    world: { rate: given.rate ?? WORLD.rate },
  });
  const client = new RawClient(t, port);
  client.write(
    `POST ${given.path ?? '/event/ingest'} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n` +
      `${given.fields ?? BY_HEADER}Content-Length: ${body.length}\r\n\r\n`,
  );
  await client.until('\r\n\r\n');
  const told = client.text.startsWith('HTTP/1.1 100 Continue');
  if (told) client.write(body.toString('latin1'));
  await client.closed;
  const answer = parseAnswer(client.text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''), true);
  const code = /"code":"(\w+)"/.exec(answer.body)?.[1] ?? null;
  return { told, answer, code, sent: backend.requests[0] ?? null, outcome: outcomes[0] };
}

t.test('the client is told to send its body once, and not when its head says enough', async (t) => {
  const read = await taken(t, { key: LOGIN, api: IN_BODY }, WITH_KEY);
  t.same([read.told, read.answer.status, read.sent?.body.toString()], [true, 200, '{"name":"login"}']);
  const unread = await taken(t, { api: IN_BODY, fields: `${BY_HEADER}Content-Type: text/html\r\n` }, WITH_KEY);
  t.same([unread.told, unread.code], [false, 'unsupported_media_type']);
  const tooLong = await taken(t, { api: { maxBodyBytes: 5 } }, WITH_KEY);
  t.same([tooLong.told, tooLong.code], [false, 'body_too_large']);
});

t.test('a credential is found in the body, and taken out of it', async (t) => {
  const { answer, sent } = await taken(t, { api: IN_BODY, fields: '' }, WITH_KEY);
  t.equal(answer.status, 200);
  t.equal(sent?.body.toString(), '{"name":"login"}');
  t.equal(sent?.headers['content-length'], '16');
  const other = await taken(t, { api: IN_BODY, fields: '' }, WITH_KEY.replace('of-k', 'of-x'));
  t.same([other.code, other.sent], ['invalid_credential', null]);
});

t.test('another credential in the body than elsewhere is a contradiction', async (t) => {
  const { code, sent } = await taken(t, { api: IN_BODY }, WITH_KEY.replace('of-k', 'of-x'));
  t.same([code, sent], ['invalid_credential', null]);
  t.equal((await taken(t, { api: IN_BODY }, WITH_KEY)).answer.status, 200, 'the same one is none');
  t.equal((await taken(t, { api: IN_BODY }, '{"name":"login"}')).answer.status, 200, 'nor is none');
});

t.test('a request is counted against its limit once, wherever its credential is', async (t) => {
  for (const fields of [BY_HEADER, '']) {
    const counted: string[] = [];
    const rate = {
      ...WORLD.rate,
      take: (id: string) => (counted.push(id), { allowed: true as const, remaining: 1, resetSeconds: 1 }),
    };
    await taken(t, { key: { rateLimit: { requests: 5, windowSeconds: 60 } }, api: IN_BODY, rate, fields }, WITH_KEY);
    t.same(counted, ['k']);
  }
});

t.test('what an API in report mode would have refused already is not looked into', async (t) => {
  const api = { ...IN_BODY, enforcement: 'report' } as const;
  const { sent, outcome } = await taken(t, { key: { ...LOGIN, allowFrom: NOBODY }, api }, '{"api_key":"x"');
  t.equal(sent?.body.toString(), '{"api_key":"x"');
  t.equal(outcome?.wouldReject?.code, 'ip_not_allowed');
});

t.test('the credential of a key in report mode is taken out all the same, and its events are left alone', async (t) => {
  const body = WITH_KEY.replace('login', 'pay');
  const { sent, outcome } = await taken(
    t,
    { key: { ...LOGIN, mode: 'report', allowFrom: NOBODY }, api: IN_BODY },
    body,
  );
  t.equal(sent?.body.toString(), '{"name":"pay"}');
  t.equal(outcome?.wouldReject?.code, 'ip_not_allowed');
});

t.test('how many events were refused is noted, and in report mode the coded body goes on as it came', async (t) => {
  const body = gzipSync('{"name":"pay"}');
  const fields = `${BY_HEADER}Content-Encoding: gzip\r\n`;
  const refused = await taken(t, { key: LOGIN, fields }, body);
  t.same([refused.code, refused.outcome?.rejectedEvents], ['event_not_allowed', 1]);
  const { sent, outcome } = await taken(t, { key: { ...LOGIN, mode: 'report' }, fields }, body);
  t.same([sent?.body, sent?.headers['content-encoding']], [body, 'gzip']);
  t.same([outcome?.rejectedEvents, outcome?.wouldReject?.code], [1, 'event_not_allowed']);
});

t.test('a body without a type, of a key that may not use every method, is no form to the backend', async (t) => {
  const typeFor = async (change: Partial<Key>, given: Partial<Given> = {}, body = '{"name":"login"}') =>
    (await taken(t, { key: change, ...given }, body)).sent?.headers['content-type'] ?? null;
  const BYTES = 'application/octet-stream';
  t.equal(await typeFor({}), 'application/json', 'a route with events');
  t.equal(await typeFor({}, { path: '/profile' }), BYTES, 'without');
  t.equal(await typeFor({}, { path: '/nowhere' }), BYTES, 'no route');
  const limited = { type: 'read-write', allowedEvents: new Set(['login']) } as const;
  t.equal(await typeFor(limited, { path: '/profile' }), BYTES, 'has the listed pairs alone');
  t.equal(await typeFor({ type: 'read-write' }), null);
  t.equal(await typeFor({ type: 'read-write' }, { api: IN_BODY }), 'application/json', 'judged as JSON, called so');
  t.equal(await typeFor({}, { fields: `${BY_HEADER}Content-Type: \r\n`, path: '/profile' }), BYTES, 'an empty one');
  for (const nothing of [';', '; charset=utf-8', ',', '\u0085;', '\u00a0'])
    t.equal(
      await typeFor({}, { fields: `${BY_HEADER}Content-Type: ${nothing}\r\n`, path: '/profile' }),
      BYTES,
      `parameters of no type: ${nothing}`,
    );
  t.equal(await typeFor({}, { fields: `${BY_HEADER}Content-Type: text/plain\r\n` }), 'text/plain');
  t.equal(await typeFor({}, {}, ''), null, 'without a body');
  t.equal(await typeFor({ mode: 'report' }), null, 'in report mode nothing is added');
  t.equal(await typeFor({}, { api: { enforcement: 'report' } }), null);
  t.equal(
    await typeFor({ mode: 'report' }, { api: IN_BODY }),
    'application/json',
    'judged for its credential, which no key reports',
  );
});

t.test('a coded body goes on as it was judged', async (t) => {
  const { sent } = await taken(
    t,
    { key: LOGIN, fields: `${BY_HEADER}Content-Encoding: gzip\r\n` },
    gzipSync('{"name":"login"}'),
  );
  t.same([sent?.body.toString(), sent?.headers['content-encoding']], ['{"name":"login"}', undefined]);
});

t.test('around its events a form holds no other JSON, to a backend that reads base64', async (t) => {
  const hidden = Buffer.from('{"event":"attack"}').toString('base64');
  const judged = `data=${encodeURIComponent('{"event":"login"}')}`;
  const asked = (body: string, base64: boolean) => {
    const router = compileRoutes([
      { method: 'POST', path: '/track', events: 'event', form: 'data', query: ['ip', '_'], backend: { base64 } },
    ]);
    const fields = `${BY_HEADER}Content-Type: application/x-www-form-urlencoded\r\n`;
    return taken(t, { key: LOGIN, api: { router }, path: '/track', fields }, body);
  };
  const around = `ip=base64,${hidden}&${judged}`;
  const refused = await asked(around, true);
  t.same([refused.code, refused.sent], ['ambiguous_body', null]);
  t.equal((await asked(`ip=1&${judged}`, true)).sent?.body.toString(), `ip=1&${judged}`);
  t.equal((await asked(around, false)).sent?.body.toString(), around, 'no other backend decodes it');
});

t.test('after a look through a large text the others have their turn before the next', async (t) => {
  const waitAfter = (length: number, lookedThrough: boolean) => {
    const passage = passageOf(factsOf(), rulesOf([]), { ...NOWHERE, api: apiRules() });
    Object.assign(passage, { bodyText: allowed(Buffer.alloc(length, 0x20)), lookedThrough });
    return { passage, wait: readText(passage as Routed) };
  };
  t.equal(waitAfter(65_535, true).wait, null);
  t.equal(waitAfter(65_536, false).wait, null);
  const { passage, wait } = waitAfter(65_536, true);
  let turns = 0;
  setImmediate(() => (turns += 1));
  t.equal(await new Promise((resolve) => wait?.(resolve)), null);
  t.equal(turns, 1);
  t.equal(readText(passage as Routed), null, 'once');
});
