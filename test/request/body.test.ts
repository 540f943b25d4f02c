/** What becomes of a body, by what is known of its request: who looks into it, and what is passed on. */
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { compileAllowRule } from '../../src/keys/address-rule.ts';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import { NotedNames } from '../../src/event-filter/noted-names.ts';
import type { Key } from '../../src/keys/key.ts';
import { compileRoutes } from '../../src/policy/route.ts';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import { allowed } from '../../src/refusal.ts';
import { compareCredentials, judgeEvents, nameUntyped, readText } from '../../src/request/body.ts';
import type { PolicyWorld } from '../../src/request/checks.ts';
import { NOWHERE, type Passage, type Routed } from '../../src/request/passage.ts';
import { serveGateway } from '../support/exchanges.ts';
import { parseAnswer } from '../support/raw-http.ts';
import { apiRules, bearer, factsOf, judged, key, passageOf, rulesOf, WORLD } from '../support/passages.ts';
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

/** A passage up to its events, with this body at hand. */
function withBody(
  body: string,
  change: { key?: Partial<Key>; api?: Partial<ApiRules>; fields?: string[] } = {},
): Routed {
  const rules = rulesOf([key('k', { ...LOGIN, ...change.key })], { integration: apiRules(change.api) });
  const fields = [...bearer('k'), ...(change.fields ?? []), 'Content-Length', String(body.length)];
  const passage = Object.assign(passageOf(factsOf({}, fields), rules), { body: Buffer.from(body) });
  judged(passage);
  return passage as Passage as Routed;
}

t.test('which rule refused an event is said, and of other mistakes none', async (t) => {
  const told = (body: string) => judgeEvents(withBody(body), WORLD);
  t.match(told('{"name":"pay"}'), { code: 'event_not_allowed', rule: 'allowedEvents of key k' });
  t.same(Object.keys(told('{"name":') as object).includes('rule'), false);
});

t.test('the names of events are noted where somebody observes, also of a body that is refused for them', async (t) => {
  const noted = (body: string, notes: NotedNames | null) => {
    const passage = withBody('{"name":"login"}');
    Object.assign(passage, { body: Buffer.from(body), bodyText: null });
    judgeEvents(passage, { observing: notes && { notes } });
    return passage.eventNames;
  };
  t.same(noted('{"name":"login"}', new NotedNames()), { allowed: ['login'], disallowed: [] });
  t.same(noted('{"name":"pay"}', new NotedNames()), { allowed: [], disallowed: ['pay'] });
  t.equal(noted('{"name":"pay"', new NotedNames()), null, 'of what is no JSON nothing is known');
  t.equal(noted('{"name":"login"}', null), null);
});

t.test('judged events are called so, and what is to be said of a body is kept', async (t) => {
  const passage = withBody('{"name":"login"}');
  t.match(passage, { eventsJudged: true, bodyJudged: true, bodyChanged: false, typeOfUntyped: 'application/json' });
  t.match(passage, { forwardedEvents: 1, removedEvents: 0, rejectedEvents: 0, refusedNames: [] });
  const refused = withBody('{"name":"pay"}');
  t.match(refused, { eventsJudged: false, bodyJudged: false, rejectedEvents: 1, refusedNames: ['pay'] });
  const reported = withBody('{"name":"login"}', { key: { mode: 'report' } });
  t.match(reported, { eventsJudged: false, bodyJudged: false, wouldReject: null }, 'in report mode it goes as it came');
  const typed = withBody('{"name":"login"}', { fields: ['Content-Type', 'text/plain'] });
  t.match(typed, { bodyJudged: true, typeOfUntyped: null });
});

t.test('a form from which nothing is cut goes on byte for byte', async (t) => {
  const router = compileRoutes([{ method: 'POST', path: '/track', events: ['[].event', 'event'], form: 'data' }]);
  const fields = `${BY_HEADER}Content-Type: application/x-www-form-urlencoded\r\n`;
  const asked = async (body: string) =>
    (await taken(t, { key: LOGIN, api: { router }, path: '/track', fields }, body)).sent?.body.toString();
  const odd = 'data=%7b%22event%22%3A%22log%69n%22%7d';
  t.equal(await asked(odd), odd);
  const cut = await asked(`data=${encodeURIComponent('[{"event":"pay"},{"event":"login"}]')}`);
  t.equal(cut && decodeURIComponent(cut), 'data=[{"event":"login"}]');
});

t.test('what a backend that reads base64 makes of plain JSON is no matter', async (t) => {
  const router = compileRoutes([{ method: 'POST', path: '/track', events: 'event', backend: { base64: true } }]);
  const { sent } = await taken(t, { key: LOGIN, api: { router }, path: '/track' }, '{"event":"login"}');
  t.equal(sent?.body.toString(), '{"event":"login"}');
});

t.test(
  'the events of a body whose credential was looked for are judged in the next turn, if it is large',
  async (t) => {
    const passage = withBody(`{"name":"login"${' '.repeat(65_536)}}`, { api: { ...IN_BODY, maxBodyBytes: 100_000 } });
    Object.assign(passage, { bodyText: allowed(passage.body as Buffer), lookedThrough: false });
    compareCredentials(passage);
    t.equal(passage.lookedThrough, true);
    t.type(readText(passage), 'function');
  },
);

t.test('a credential in the body of a public route is taken out, and none in report mode', async (t) => {
  const router = compileRoutes([{ method: 'POST', path: '/open', public: true }]);
  const open = await taken(t, { api: { ...IN_BODY, router }, path: '/open', fields: '' }, WITH_KEY);
  t.equal(open.sent?.body.toString(), '{"name":"login"}', 'an unjudged key does not reach the backend');
  for (const body of ['{"name":"login"}', WITH_KEY.replace('of-k', 'of-x')]) {
    const without = await taken(t, { api: { ...IN_BODY, router }, path: '/open', fields: '' }, body);
    t.equal(without.sent?.body.toString(), '{"name":"login"}', 'nobody needs a key');
  }
  const reported = await taken(t, { api: { ...IN_BODY, enforcement: 'report' } }, WITH_KEY);
  t.equal(reported.sent?.body.toString(), WITH_KEY);
});

t.test('only a body that is announced gets a name', async (t) => {
  const typeOf = (fields: readonly string[]) => {
    const passage = passageOf(factsOf({ target: '/profile' }, fields), rulesOf([]));
    const verdict = nameUntyped(passage);
    if (typeof verdict === 'object' && 'apply' in verdict) verdict.apply();
    return [passage.typeOfUntyped, verdict === 'passed'];
  };
  t.same(typeOf(['Content-Length', '2']), ['application/octet-stream', false]);
  t.same(typeOf(['Transfer-Encoding', 'chunked']), ['application/octet-stream', false]);
  t.same(typeOf([]), [null, true]);
  t.same(typeOf(['Content-Length', '2', 'Content-Type', 'a/b']), [null, true]);
  t.same(typeOf(['Content-Length', '2', 'Content-Type', 'application/json']), [null, true]);
});

t.test('where the backend has a credential of its own, it stands in the body, and nowhere else', async (t) => {
  const own = { kind: 'literal', value: 'of-the-backend' } as const;
  const api = { ...IN_BODY, authorization: { basic: own, bearer: own, places: [own, own] } };
  const { sent } = await taken(t, { key: LOGIN, api, fields: '' }, WITH_KEY);
  t.equal(sent?.body.toString(), '{"api_key":"of-the-backend","name":"login"}');
  t.equal(sent?.headers.authorization, undefined);
  const { sent: other } = await taken(t, { key: LOGIN, api }, '{"name":"login"}');
  t.same([other?.body.toString(), other?.headers.authorization], ['{"name":"login"}', 'of-the-backend']);
});

t.test('JSON that its sender called a form is called JSON to the backend', async (t) => {
  const router = compileRoutes([{ method: 'POST', path: '/track', events: 'event', form: 'data' }]);
  const typeOf = async (type: string, body: string) => {
    const fields = `${BY_HEADER}Content-Type: ${type}\r\n`;
    return (await taken(t, { key: LOGIN, api: { router }, path: '/track', fields }, body)).sent?.headers[
      'content-type'
    ];
  };
  const form = 'application/x-www-form-urlencoded';
  t.equal(await typeOf(form, '{"event":"login"}'), 'application/json');
  t.equal(await typeOf(form, `data=${encodeURIComponent('{"event":"login"}')}`), form);
  t.equal(await typeOf('application/json', '{"event":"login"}'), 'application/json');
});
