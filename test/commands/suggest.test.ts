import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { runSuggest, type SuggestArguments } from '../../src/commands/suggest.ts';
import { capturedIo } from '../support/command-io.ts';

const lastSeen = '2026-03-02T09:14:11.000Z';
const suggestion = (type: string) => ({
  fields: { type },
  because: { type: [{ value: 'GET', requests: 2, lastSeen }] },
  notSuggested: {},
  tooLittle: null,
});
const route = (path: string, good: number) => ({ method: 'GET', path, listed: false, good, lastSeen });
/** What the sidecar answers, by its path; all else is not there. */
const ANSWERS: Readonly<Record<string, object>> = {
  '/api/keys': { keys: [{ id: 'web' }, { id: 'a b' }] },
  '/api/keys/web/suggestion': suggestion('write-only'),
  '/api/keys/a%20b/suggestion': suggestion('read-only'),
  '/api/apis/shop/observed?callers=all': {
    routes: [route('/orders', 3), route('/refused', 0)],
    truncated: { routes: 2 },
  },
  '/api/apis/idle/observed?callers=all': { routes: [route('/refused', 0)], truncated: { routes: 0 } },
};

async function suggesting(t: Test, answers = ANSWERS) {
  const asked: string[] = [];
  const server = http.createServer(({ url = '' }, res) => {
    asked.push(url);
    const body = answers[url] ?? { detail: 'There is no such thing.' };
    res.writeHead(url in answers ? 200 : 404).end(JSON.stringify(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = async (change: Partial<SuggestArguments> = {}) => {
    const { io, out, err } = capturedIo({ env: { POSTERN_ADMIN_TOKEN: 'the-token' } });
    const args = { admin, config: '', key: null, api: null, json: false, ...change };
    return { code: await runSuggest(args, io), out: out.join('\n'), err: err.join('\n') };
  };
  return { run, asked };
}

t.test('every key, or one, as YAML or JSON', async (t) => {
  const { run, asked } = await suggesting(t);
  const all = await run();
  t.same([all.code, all.err], [0, '']);
  t.equal(
    all.out,
    [
      'keys:',
      '  - id: web',
      `    type: write-only # GET: 2 good requests, last ${lastSeen}`,
      '  - id: a b',
      `    type: read-only # GET: 2 good requests, last ${lastSeen}`,
    ].join('\n'),
  );
  asked.length = 0;
  const one = await run({ key: 'web', json: true });
  t.equal(one.code, 0);
  t.same(JSON.parse(one.out), { keys: [{ id: 'web', ...suggestion('write-only') }] });
  t.same(asked, ['/api/keys/web/suggestion'], 'nobody asks for the others');
});

t.test('the routes of an API that anybody used well', async (t) => {
  const { run } = await suggesting(t);
  t.same(await run({ api: 'shop' }), {
    code: 0,
    out: `# Some routes are missing: there were more than could be kept.\nroutes:\n  - { method: GET, path: /orders } # 3 good requests, last ${lastSeen}`,
    err: '',
  });
  t.same(JSON.parse((await run({ api: 'shop', json: true })).out), { routes: [route('/orders', 3)], truncated: 2 });
  t.same(await run({ api: 'idle' }), { code: 1, out: '', err: 'API "idle": no good request was observed.' });
});

t.test('what cannot be told is said with the name of what was asked for, and nothing is printed', async (t) => {
  const { run } = await suggesting(t);
  t.same(await run({ key: 'no/body' }), { code: 1, out: '', err: 'key "no/body": There is no such thing.' });
  t.same(await run({ api: 'no body' }), { code: 1, out: '', err: 'API "no body": There is no such thing.' });
  const { '/api/keys/a%20b/suggestion': _one, ...others } = ANSWERS;
  const half = await suggesting(t, others);
  t.same(await half.run(), { code: 1, out: '', err: 'key "a b": There is no such thing.' });
  const { '/api/keys': _all, ...rest } = ANSWERS;
  t.same(await (await suggesting(t, rest)).run(), { code: 1, out: '', err: 'There is no such thing.' });
});

t.test('a key and an API are two questions, and nobody is asked without knowing where', async (t) => {
  const { run, asked } = await suggesting(t);
  const both = await run({ key: 'web', api: 'shop' });
  t.same([both.code, both.out], [2, '']);
  t.match(both.err, /^--key and --api cannot be given together/);
  t.equal((await run({ admin: 'ftp://x' })).code, 2);
  t.same(asked, []);
});
