import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { request, runAttacks, type Attack } from '../support/attack.ts';
import { API_KEY, CLIENT_SECRET, startMetrics } from '../support/metrics-api.ts';

const SECRET = 'the-signing-secret-of-this-service-1';
const OLD_SECRET = 'the-signing-secret-before-that-one-2';
const HOST = 'Host: a';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = (header: unknown, claims: unknown, secret = SECRET, algorithm = 'sha256'): string => {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${createHmac(algorithm, secret).update(text).digest('base64url')}`;
};
const decoded = (text: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(text ?? '', 'base64url').toString()) as Record<string, unknown>;

t.test('only tokens that this service issued, for a secret that still holds, open the metrics API', async (t) => {
  const { backend, postern, obtainToken } = await startMetrics(t, {
    respond: (_req, res) => void res.writeHead(204).end(),
    api: { token: { secret: [SECRET, OLD_SECRET] } },
  });
  const good = await obtainToken();
  const [head, body, signature] = good.split('.');
  const header = decoded(head);
  const claims = decoded(body);
  const now = Math.floor(Date.now() / 1000);

  const forged: Readonly<Record<string, string>> = {
    'alg none': `${part({ ...header, alg: 'none' })}.${body}.`,
    'alg None with the signature': `${part({ ...header, alg: 'None' })}.${body}.${signature}`,
    'alg in lower case': signed({ ...header, alg: 'hs256' }, claims),
    'alg HS384': signed({ ...header, alg: 'HS384' }, claims, SECRET, 'sha384'),
    'alg HS512': signed({ ...header, alg: 'HS512' }, claims, SECRET, 'sha512'),
    'alg RS256': signed({ ...header, alg: 'RS256' }, claims),
    'alg as a list': signed({ ...header, alg: ['HS256'] }, claims),
    'no alg': signed({ typ: 'at+jwt' }, claims),
    'typ JWT': signed({ ...header, typ: 'JWT' }, claims),
    'no typ': signed({ alg: 'HS256' }, claims),
    'typ with a prefix': signed({ ...header, typ: 'application/at+jwt' }, claims),
    kid: signed({ ...header, kid: '../../dev/null' }, claims),
    'an empty kid': signed({ ...header, kid: '' }, claims),
    jku: signed({ ...header, jku: 'https://evil.example/keys' }, claims),
    jwk: signed({ ...header, jwk: { kty: 'oct', k: part('x') } }, claims),
    x5c: signed({ ...header, x5c: ['AA=='] }, claims),
    crit: signed({ ...header, crit: ['exp'] }, claims),
    'b64 false': signed({ ...header, b64: false, crit: ['b64'] }, claims),
    'a foreign secret': signed(header, claims, 'another-secret-of-thirty-two-bytes!!'),
    'an empty secret': signed(header, claims, ''),
    'the client secret as key': signed(header, claims, CLIENT_SECRET),
    'another audience': signed(header, { ...claims, aud: 'integration' }),
    'a list of audiences': signed(header, { ...claims, aud: ['metrics', 'other'] }),
    'no audience': signed(header, { ...claims, aud: undefined }),
    'another issuer': signed(header, { ...claims, iss: 'evil' }),
    'no issuer': signed(header, { ...claims, iss: undefined }),
    'another subject': signed(header, { ...claims, sub: 'nobody' }),
    'a subject of the prototype': signed(header, { ...claims, sub: 'constructor' }),
    'no subject': signed(header, { ...claims, sub: undefined }),
    'no expiry': signed(header, { ...claims, exp: undefined }),
    'an expiry as text': signed(header, { ...claims, exp: String(claims['exp']) }),
    'an expiry in the past': signed(header, { ...claims, iat: now - 1000, exp: now - 1 }),
    'an expiry far away': signed(header, { ...claims, exp: now + 1e9 }),
    'an infinite expiry': `${part(header)}.${Buffer.from(JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')).toString('base64url')}.${signature}`,
    'issued in the future': signed(header, { ...claims, iat: now + 600, exp: now + 700 }),
    'no time of issue': signed(header, { ...claims, iat: undefined }),
    'not valid yet': signed(header, { ...claims, nbf: now + 600 }),
    'no jti': signed(header, { ...claims, jti: undefined }),
    'no binding': signed(header, { ...claims, pst: undefined }),
    'another binding': signed(header, { ...claims, pst: Buffer.alloc(16).toString('base64url') }),
    'an empty binding': signed(header, { ...claims, pst: '' }),
    'the binding with the other secret': signed(header, claims, OLD_SECRET),
    'claims of another token': `${head}.${part({ ...claims, exp: now + 3600 })}.${signature}`,
    'claims that are no object': signed(header, 'x'),
    'claims null': signed(header, null),
    'two parts': `${head}.${body}`,
    'four parts': `${good}.x`,
    'five parts': `${good}.x.y`,
    'no signature': `${head}.${body}.`,
    'a signature cut short': good.slice(0, -1),
    'a signature in another spelling': `${head}.${body}.${signature}=`,
    'a signature in plain base64': `${head}.${body}.${Buffer.from(signature ?? '', 'base64url').toString('base64')}`,
    'bits beyond the signature': `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : String.fromCharCode(good.charCodeAt(good.length - 1) + 1)}`,
    'a header that is no JSON': `${Buffer.from('x').toString('base64url')}.${body}.${signature}`,
    'only dots': '..',
    'a very long token': `${good}${'A'.repeat(6000)}`,
    'the client secret': CLIENT_SECRET,
    'the API key': API_KEY,
    both: `${API_KEY}:${CLIENT_SECRET}`,
  };
  const query = (name: string, token: string, status: number): Attack => ({
    name,
    bytes: request(
      'POST /metrics/query HTTP/1.1',
      [HOST, `Authorization: Bearer ${token}`, 'Content-Type: application/json'],
      '{}',
    ),
    answers: [status],
    ...(status === 204 ? { forwarded: ['POST /metrics/query {}'] } : {}),
  });
  await runAttacks(t, { port: postern.port, backend }, [
    query('the token itself', good, 204),
    ...Object.entries(forged).map(([name, token]) => query(name, token, 401)),
    query('the token itself, again', good, 204),
  ]);
});

t.test('the token endpoint answers a right pair alone, and nothing sent there goes on', async (t) => {
  const { backend, postern } = await startMetrics(t);
  const pair = JSON.stringify({ clientSecret: CLIENT_SECRET, environmentApiKey: API_KEY });
  const form = `grant_type=client_credentials&client_id=${API_KEY}&client_secret=${CLIENT_SECRET}`;
  const JSON_TYPE = 'Content-Type: application/json';
  const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';
  let made = 0;
  const ask = (
    body: string,
    status: number,
    type = JSON_TYPE,
    target = '/metrics/auth/token',
    more: readonly string[] = [],
  ): Attack => ({
    name: `${++made}: ${target} ${type} ${body.slice(0, 90)}`,
    bytes: request(`POST ${target} HTTP/1.1`, [HOST, type, ...more], body),
    answers: [status],
  });
  await runAttacks(t, { port: postern.port, backend }, [
    ...['/METRICS/auth/token', '/metrics/auth/token/', '/metrics/auth/%74oken', '/Metrics/Auth/Token?x=1'].map(
      (target) => ask(pair, 200, JSON_TYPE, target),
    ),
    ...[
      '/metrics//auth/token',
      '/metrics/auth/token;x',
      '/metrics/auth%2ftoken',
      '/metrics/./auth/token',
      '/metrics/auth/token%00',
    ].map((target) => ask(pair, 400, JSON_TYPE, target)),
    ...[
      '',
      '{}',
      'null',
      '[]',
      `[${pair}]`,
      pair.slice(0, -1),
      `${pair}x`,
      `\xef\xbb\xbf${pair}`,
      '{"clientSecret":1,"environmentApiKey":1}',
      '{"clientSecret":"","environmentApiKey":""}',
      `{"clientsecret":"${CLIENT_SECRET}","environmentApiKey":"${API_KEY}"}`,
    ].map((body) => ask(body, 400)),
    ...[
      'text/plain',
      'application/xml',
      'application/json; charset=utf-16',
      'application/vnd.x+json',
      'application/x-www-form-urlencoded; charset=utf-16',
      'multipart/form-data',
    ].map((type) => ask(pair, 415, `Content-Type: ${type}`)),
    ask(pair, 415, JSON_TYPE, undefined, ['Content-Encoding: gzip']),
    ask('a'.repeat(20_000), 413),
    ask(form, 200, FORM_TYPE),
    ...[
      '',
      'grant_type=client_credentials',
      form.replace('client_credentials', 'password'),
      `${form}&grant_type=client_credentials`,
      `${form}&client_id=x`,
      `${form}&scope=all`,
      form.replace('client_id', 'client_Id'),
      `${form}&x=%zz`,
      `${form}&x=%ff`,
    ].map((body) => ask(body, 400, FORM_TYPE)),
    ask(form, 400, FORM_TYPE, undefined, [
      `Authorization: Basic ${Buffer.from(`${API_KEY}:${CLIENT_SECRET}`).toString('base64')}`,
    ]),
    ask('grant_type=client_credentials', 200, FORM_TYPE, undefined, [
      `Authorization: Basic ${Buffer.from(`${API_KEY}:${CLIENT_SECRET}`).toString('base64')}`,
    ]),
    ask('grant_type=client_credentials', 401, FORM_TYPE, undefined, [`Authorization: Bearer ${CLIENT_SECRET}`]),
    ask(pair, 403, JSON_TYPE, undefined, ['Origin: https://app.example']),
    ask(pair, 403, JSON_TYPE, undefined, ['Sec-Fetch-Site: same-origin']),
    ...['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'].map((method): Attack => ({
      name: `${method} on the token endpoint`,
      bytes: request(`${method} /metrics/auth/token HTTP/1.1`, [HOST]),
      answers: [405],
    })),
    // Wrong pairs last: ten of them close the door to this address.
    ...[
      [API_KEY, CLIENT_SECRET],
      [CLIENT_SECRET, 'x'],
      ['', API_KEY],
      [CLIENT_SECRET.toUpperCase(), API_KEY],
      [`${CLIENT_SECRET} `, API_KEY],
      ['constructor', '__proto__'],
      [CLIENT_SECRET, `${API_KEY}\0`],
      ['x', API_KEY],
      [CLIENT_SECRET, ''],
      ['y', 'y'],
      ['z', 'z'],
      ['w', 'w'],
    ]
      .filter(([secret, key]) => secret !== '' && key !== '')
      .map(([clientSecret, environmentApiKey]) => ask(JSON.stringify({ clientSecret, environmentApiKey }), 401)),
    ask(pair, 429),
    ask(form, 429, FORM_TYPE),
    ask('{}', 429),
  ]);
});

t.test('requests that are held back and ended in reverse order are no further guesses', async (t) => {
  let now = Date.now();
  const { postern, requestToken } = await startMetrics(t, { now: () => now });
  const guess = JSON.stringify({ clientSecret: 'wrong', environmentApiKey: API_KEY });
  const hold = async (): Promise<() => Promise<string>> => {
    const socket = net.connect(postern.port, '127.0.0.1').setEncoding('latin1');
    t.teardown(() => socket.destroy());
    // The request is Postern's from here on: what follows comes when its body is waited for.
    const fields = [HOST, 'Content-Type: application/json', `Content-Length: ${guess.length}`, 'Expect: 100-continue'];
    socket.write(`POST /metrics/auth/token HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
    await once(socket, 'data');
    return async () => {
      const answered = once(socket, 'data');
      socket.write(guess);
      return String((await answered)[0]).slice(9, 12);
    };
  };
  const held: (() => Promise<string>)[] = [];
  for (let i = 0; i < 4; i++) {
    held.push(await hold());
    now += 1000;
  }
  for (let i = 0; i < 10; i++)
    t.equal((await requestToken({ clientSecret: 'x', environmentApiKey: API_KEY })).status, 401);
  for (const end of held.toReversed()) t.equal(await end(), '429');
});
