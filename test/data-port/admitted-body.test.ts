/** What becomes of a body, by what is known of its request: which steps are asked again, and what is passed on. */
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { createBodyWay, type BodyPorts } from '../../src/data-port/admitted-body.ts';
import type { Admitted } from '../../src/data-port/exchange.ts';
import { compileMemberSearch } from '../../src/event-filter/member-value.ts';
import type { Key } from '../../src/keys/key.ts';
import type { Passage, PolicyPorts } from '../../src/policy/pipeline.ts';
import { allowed, refusal, type Refusal } from '../../src/policy/refusal.ts';
import type { ApiRules } from '../../src/policy/ruleset.ts';
import { serveExchanges } from '../support/exchanges.ts';
import { apiRules, key, passageOf, PORTS, rulesOf } from '../support/passages.ts';
import { RawClient } from '../support/upstream.ts';

const LOGIN: Partial<Key> = { allowedEvents: new Set(['login']) };
const IN_BODY: Partial<ApiRules> = {
  credential: [{ kind: 'bearer' }, { kind: 'body', name: 'api_key', find: compileMemberSearch('api_key') }],
  looksIntoBody: true,
};
const WITH_KEY = '{"api_key":"secret-of-k","name":"login"}';
const ELSEWHERE = { wouldReject: refusal('ip_not_allowed', 'elsewhere') };

interface Given {
  readonly key?: Partial<Key>;
  readonly api?: Partial<ApiRules>;
  readonly passage?: Partial<Passage>;
  readonly ports?: Partial<BodyPorts>;
  readonly by?: 'takeBody' | 'readCredential';
}

/** Takes one request, as one of key `k`, the way of its body, and logs what was done. `rest` comes after `100 Continue`. */
async function taken(t: Test, given: Given, bytes: string, rest = '') {
  const log: string[] = [];
  const end = (exchange: Admitted, what: string): void => {
    log.push(what);
    exchange.res.end('the end');
  };
  const way = createBodyWay({
    ...PORTS,
    needsBody: () => false,
    pass: (exchange) => end(exchange, `passed ${String(exchange.body)}`),
    refuse: (exchange, { code }) => end(exchange, `refused ${code}`),
    settle: (exchange, { status }) => end(exchange, `settled ${status}`),
    attempt: (_exchange, step) => void step(),
    follow: (exchange, result) =>
      result === 'passed' ? way.takeBody(exchange) : end(exchange, `stopped by ${(result as Refusal).code}`),
    ...given.ports,
  });
  const rules = rulesOf([key('k', given.key)], { integration: apiRules(given.api) });
  const [identity = null] = rules.keys.bySecret.values();
  let admitted: Admitted | null = null;
  const { port } = await serveExchanges(t, (exchange) => {
    const { integration: api } = rules;
    const route = api?.router.match('POST', '/event/ingest') ?? null;
    const passage = { ...passageOf(exchange.facts, rules), api, route, identity, ...given.passage };
    exchange.res.writeContinue = () => {
      log.push('100 Continue');
      client.write(rest);
    };
    admitted = { ...exchange, passage, awaitsContinue: true } as Admitted;
    way[given.by ?? 'takeBody'](admitted);
  });
  const client = new RawClient(t, port);
  client.write(bytes);
  await client.until('the end');
  return { log, exchange: admitted as unknown as Admitted };
}

const posted = (body: string | Buffer, fields = ''): string =>
  `POST / HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body.toString('latin1')}`;

t.test('a body of no declared length is held to the limit, whoever needs it', async (t) => {
  const api = { maxBodyBytes: 16 };
  const chunked = (last: string): string =>
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"name":\r\n${last}\r\n0\r\n\r\n`;
  for (const given of [{ api }, { api, key: LOGIN }, { api, ports: { needsBody: () => true } }]) {
    t.equal((await taken(t, given, chunked('8\r\n"login"}'))).log.at(-1), 'passed {"name":"login"}');
    t.equal((await taken(t, given, chunked('9\r\n"login"} '))).log.at(-1), 'refused body_too_large');
  }
});

t.test('who needs the whole body waits for it, and nobody else does', async (t) => {
  const bytes = posted('{"name":"login"}');
  for (const [needed, passed] of [[true, 'passed {"name":"login"}'] as const, [false, 'passed stream'] as const]) {
    const { log } = await taken(t, { ports: { needsBody: () => needed } }, bytes.slice(0, -9), bytes.slice(-9));
    t.same(log, ['100 Continue', passed]);
  }
});

t.test('the client is told to send its body once, however often that is looked at', async (t) => {
  for (const by of ['takeBody', 'readCredential'] as const) {
    const given: Given = { by, key: LOGIN, api: IN_BODY, ports: { needsBody: () => true } };
    t.same((await taken(t, given, posted(WITH_KEY))).log, ['100 Continue', 'passed {"name":"login"}']);
    const unread = posted(WITH_KEY, 'Content-Type: text/html\r\n');
    t.same((await taken(t, given, unread)).log, ['stopped by unsupported_media_type'], 'or not at all');
  }
});

t.test('a request is counted against its limit once, whenever its body is read', async (t) => {
  const limited = { rateLimit: { requests: 5, windowSeconds: 60 } };
  for (const [by, times] of [['takeBody', 0] as const, ['readCredential', 1] as const]) {
    const counted: string[] = [];
    const take: PolicyPorts['rate']['take'] = (id) => ({ allowed: counted.push(id) > 0 }) as { allowed: true };
    await taken(t, { by, key: limited, api: IN_BODY, ports: { rate: { ...PORTS.rate, take } } }, posted(WITH_KEY));
    t.equal(counted.length, times, by);
  }
});

t.test('what an API in report mode would have refused already is not looked into', async (t) => {
  const api = { ...IN_BODY, enforcement: 'report' } as const;
  const bytes = posted(`${WITH_KEY} `).slice(0, -1);
  const { log, exchange } = await taken(t, { key: LOGIN, api, passage: ELSEWHERE }, bytes);
  t.same(log, ['100 Continue', 'passed stream'], 'before it has arrived');
  t.equal(exchange.passage.wouldReject, ELSEWHERE.wouldReject);
});

t.test('a key in report mode is taken out of the body all the same, and its events are left alone', async (t) => {
  const given: Given = { key: { ...LOGIN, mode: 'report' }, api: IN_BODY, passage: ELSEWHERE };
  const { log, exchange } = await taken(t, given, posted(WITH_KEY.replace('login', 'pay')));
  t.equal(log.at(-1), 'passed {"name":"pay"}');
  t.match(exchange, { bodyChanged: true, passage: { ...ELSEWHERE, bodyHandedOver: true } });
  t.same(exchange.passage.bodyText, allowed(exchange.body));
});

t.test('how many events were refused is noted, and in report mode the coded body goes on as it came', async (t) => {
  const body = gzipSync('{"name":"pay"}');
  const bytes = posted(body, 'Content-Encoding: gzip\r\n');
  const refused = await taken(t, { key: LOGIN }, bytes);
  t.same([refused.log.at(-1), refused.exchange.rejectedEvents], ['refused event_not_allowed', 1]);
  const { exchange } = await taken(t, { key: { ...LOGIN, mode: 'report' } }, bytes);
  t.same([exchange.body, exchange.bodyChanged, exchange.rejectedEvents], [body, false, 1]);
  t.equal(exchange.passage.wouldReject?.code, 'event_not_allowed');
});

t.test('a mistake while a body is passed on ends its request alone', async (t) => {
  const ended: string[] = [];
  const attempt: BodyPorts['attempt'] = (exchange, step) => {
    try {
      void step();
    } catch (error) {
      ended.push((error as Error).message);
      exchange.res.end('the end');
    }
  };
  const pass = (): never => {
    throw new Error('a bug');
  };
  await taken(t, { ports: { attempt, pass } }, posted('{"name":"login"}'));
  t.same(ended, ['a bug']);
});

t.test('a request that ended while its body was decoded is left alone', async (t) => {
  const attempt: BodyPorts['attempt'] = (exchange, step) => {
    const running = step();
    exchange.settled = true;
    void running?.then(() => exchange.res.end('the end'));
  };
  const coded = posted(gzipSync('{"name":"login"}'), 'Content-Encoding: gzip\r\n');
  t.same((await taken(t, { key: LOGIN, ports: { attempt } }, coded)).log, ['100 Continue']);
});
