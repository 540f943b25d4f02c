import t from 'tap';
import { defaultsOf, FIELD_TYPES } from '../../src/keys/definition.ts';
import { KeyDefinitionSchema } from '../../src/keys/definition-schema.ts';
import { KEY_TYPES } from '../../src/keys/key.ts';

t.test('every field that is not for all types exists, and is for known types', async (t) => {
  for (const [field, types] of Object.entries(FIELD_TYPES)) {
    t.ok(field in KeyDefinitionSchema.shape, field);
    t.ok(types.length < KEY_TYPES.length && types.every((type) => KEY_TYPES.includes(type)));
  }
});

t.test('origins', async (t) => {
  const takes = (origin: string): boolean => KeyDefinitionSchema.shape.allowedOrigins.safeParse([origin]).success;
  for (const origin of [
    '*',
    'https://a.example',
    'http://localhost:3000',
    'http://[::1]:8080',
    'chrome-extension://abcdef',
    'a://b',
    'a+b.c-9://d_e.f-g',
    'http://192.0.2.1',
  ])
    t.ok(takes(origin), origin);
  for (const origin of [
    'null',
    '',
    'https://',
    'a.example',
    'https://a.example/',
    'https://a.example/x',
    'https://A.example',
    'HTTPS://a.example',
    'https://u@a.example',
    'https://a.example:443',
    'http://a.example:80',
    'https://*.a.example',
    'https://a.example:0',
    'https://a.example.',
    'https://a..example',
    'https://a.example\n',
    'https://a.example, b',
    ' https://a.example',
    '9a://b',
    'a_b://c',
    'https://[]',
    'https://[::1',
    'https://[::1]a',
    'https://[::G]',
    'https://-a.ex!ample',
    'https://a.example:08',
    'https://a.example:',
  ])
    t.notOk(takes(origin), JSON.stringify(origin));
});

t.test('any origin stands alone', async (t) => {
  const takes = (origins: unknown): boolean => KeyDefinitionSchema.shape.allowedOrigins.safeParse(origins).success;
  for (const origins of [[], ['*'], ['https://a.example', 'https://b.example'], null, undefined])
    t.ok(takes(origins), JSON.stringify(origins));
  for (const origins of [['*', 'https://a.example'], ['https://a.example', '*'], ['*', '*'], '*'])
    t.notOk(takes(origins), JSON.stringify(origins));
});

t.test('which fields are for which types', async (t) => {
  t.same(FIELD_TYPES, {
    allowedEvents: ['write-only', 'read-only', 'read-write'],
    disallowedEvents: ['write-only', 'read-only', 'read-write'],
    allowBrowsers: ['read-only', 'read-write', 'metrics'],
    apiKey: ['metrics'],
    cacheTtlMinutes: ['metrics'],
  });
});

t.test('a port has at most five digits', async (t) => {
  const takes = (origin: string): boolean => KeyDefinitionSchema.shape.allowedOrigins.safeParse([origin]).success;
  for (const port of ['1', '12', '65535']) t.ok(takes(`https://a.example:${port}`), port);
  t.notOk(takes('https://a.example:100000'));
});

t.test('a secret is a hash or a value, and not both', async (t) => {
  const takes = (secret: unknown): boolean => KeyDefinitionSchema.shape.secrets.safeParse([secret]).success;
  const hash = `sha256:${'a'.repeat(64)}`;
  t.ok(takes({ hash }));
  t.ok(takes({ value: 'a-secret-of-some-length' }));
  t.notOk(takes({}));
  t.notOk(takes({ hash, value: 'a-secret-of-some-length' }));
});

t.test('what a key is when nothing else is said, by its type', async (t) => {
  const common = {
    description: '',
    apis: 'all',
    allowedRoutes: 'all',
    enabled: true,
    expiresAt: null,
    allowFrom: 'anywhere',
    denyFrom: [],
    allowedEvents: 'all',
    disallowedEvents: 'remove',
    allowedOrigins: ['*'],
    allowBrowsers: false,
    accessToken: 'allowed',
    rateLimit: null,
    mode: 'enforce',
    cacheTtlMinutes: null,
  };
  t.strictSame(defaultsOf('write-only'), { ...common, type: 'write-only', allowBrowsers: null });
  for (const type of ['read-only', 'read-write'] as const) t.strictSame(defaultsOf(type), { ...common, type });
  t.strictSame(defaultsOf('metrics'), {
    ...common,
    type: 'metrics',
    apis: ['metrics'],
    allowedEvents: null,
    disallowedEvents: null,
    accessToken: 'required',
    cacheTtlMinutes: 5,
  });
  t.equal(defaultsOf('metrics'), defaultsOf('metrics'), 'the same object each time');
});
