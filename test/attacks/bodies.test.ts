import zlib from 'node:zlib';
import t from 'tap';
import { field, request, runAttacks, type Attack } from '../support/attack.ts';
import { startBackend } from '../support/backend.ts';
import { startPostern } from '../support/postern.ts';

const WEB = 'secret-of-the-web-key';
const STRICT = 'secret-of-the-strict-key';
const HOST = 'Host: a';
const JSON_TYPE = 'Content-Type: application/json';
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

const post = (target: string, body: string, fields: readonly string[] = [JSON_TYPE], secret = WEB): string =>
  request(`POST ${target} HTTP/1.1`, [HOST, `Authorization: Bearer ${secret}`, ...fields], body);

interface Bodies {
  readonly status: number;
  readonly bodies: readonly string[];
}

/** Bodies of one event. */
const SINGLE: readonly Bodies[] = [
  {
    status: 403,
    bodies: [
      '{"name":"purchase"}',
      '{"name":"Login"}',
      '{"name":"LOGIN"}',
      '{"name":" login"}',
      '{"name":"login "}',
      '{"name":"login\\u0000"}',
      '{"name":"logi\\u006E "}',
      '{"name":"l\\u043egin"}',
      '{"name":"login\\ud800"}',
      '{"name":"lo\\u200bgin"}',
      '{"name":""}',
      '{}',
      '{"name":null}',
      '{"name":1}',
      '{"name":true}',
      '{"name":["login"]}',
      '{"name":{"name":"login"}}',
      '{"event":"login"}',
      '{"properties":{"name":"login"}}',
    ],
  },
  {
    status: 400,
    bodies: [
      '{"name":"login","name":"purchase"}',
      '{"name":"purchase","name":"login"}',
      '{"name":"login","name":"login"}',
      '{"name":"login","Name":"purchase"}',
      '{"NAME":"purchase","name":"login"}',
      '{"Name":"login"}',
      '{"name":"login","n\\u0061me":"purchase"}',
      '{"\\u006eame":"login","name":"purchase"}',
      '{"name":"login","name\\u0000":"purchase"}',
      '{"name":"login","n\\u0061\\u004de":"purchase"}',
      '{"name":"login","na\\u200bme":"purchase"}',
      '',
      ' ',
      'null',
      '1',
      '"login"',
      '[]',
      '[{"name":"login"}]',
      'true',
      '{"name":"login"}{"name":"purchase"}',
      '{"name":"login"} x',
      '{"name":"login"},',
      '{"name":"login",}',
      "{'name':'login'}",
      '{name:"login"}',
      '{"name":"login"',
      '{"name":"login"}}',
      '{"name":"login"//x\n}',
      '/**/{"name":"login"}',
      '{"name":"login"}#',
      '{"name":"login","a":01}',
      '{"name":"login","a":+1}',
      '{"name":"login","a":.5}',
      '{"name":"login","a":1.}',
      '{"name":"login","a":NaN}',
      '{"name":"login","a":Infinity}',
      '{"name":"login","a":0x1}',
      '{"name":"login","a":"\t"}',
      '{"name":"login","a":"\\x41"}',
      '{"name":"login","a":"\\u12"}',
      '{"name":"login","a":undefined}',
      '{"name":"login","a":True}',
      '\0{"name":"login"}',
      '{"name":"login"}\0',
      '\xef\xbb\xbf{"name":"login"}',
      '\xff\xfe{\0"\0',
      '{"name":"login","a":"\xff"}',
      '{"name":"login","a":"\xc0\xaf"}',
      '{"name":"login","a":"\xed\xa0\x80"}',
      '{"name":"login","a":"\xf5\x80\x80\x80"}',
      `{"name":"login","a":${'['.repeat(70)}${']'.repeat(70)}}`,
      '['.repeat(20_000),
      `{"a":`.repeat(20_000),
      '{"name":"login"\x0c}',
      '{"name":"login"\xa0}',
      '{"name" "login"}',
      '{"name":"login";"a":1}',
      '{:"login"}',
    ],
  },
];

/** Bodies with a batch of events. */
const BATCH: readonly Bodies[] = [
  {
    status: 403,
    bodies: [
      '{"events":[{"name":"purchase"}]}',
      '{"events":[{"name":"purchase"},{"name":"Login"}]}',
      '{"events":[{}]}',
      '{"events":[{"name":1},{"name":null}]}',
    ],
  },
  {
    status: 400,
    bodies: [
      '{}',
      '{"events":null}',
      '{"events":{}}',
      '{"events":"login"}',
      '{"events":{"0":{"name":"login"}}}',
      '{"Events":[{"name":"login"}]}',
      '{"event":[{"name":"login"}]}',
      '[{"name":"login"}]',
      '{"events":[{"name":"login"}],"events":[{"name":"purchase"}]}',
      '{"events":[],"Events":[{"name":"purchase"}]}',
      '{"events":[],"EVENTS":[]}',
      '{"events":[],"\\u0065vents":[{"name":"purchase"}]}',
      '{"events":[{"name":"login","name":"purchase"}]}',
      '{"events":[{"name":"login","Name":"purchase"}]}',
      '{"events":[[{"name":"login"}]]}',
      '{"events":["login"]}',
      '{"events":[null]}',
      '{"events":[{"name":"login"},[]]}',
      '{"events":[{"name":"login"},1]}',
      '{"events":[{"name":"login"},]}',
      '{"events":[,{"name":"login"}]}',
      '{"events":[{"name":"login"} {"name":"purchase"}]}',
      '{"events":[{"name":"login"}]',
      '{"events":[{"name":"login"}]}[{"name":"purchase"}]',
    ],
  },
];

const attacks = (target: string, cases: readonly Bodies[]): Attack[] =>
  cases.flatMap(({ status, bodies }) =>
    bodies.map((body) => ({
      name: `${target} ${JSON.stringify(body.length > 100 ? `${body.slice(0, 100)}... (${body.length})` : body)}`,
      bytes: post(target, body),
      answers: [status],
    })),
  );

/** What is cut from a batch, and that all else stays as it is, byte for byte. */
const CUT: readonly (readonly [sent: string, forwarded: string])[] = [
  ['{"events":[{"name":"purchase"},{"name":"login"}]}', '{"events":[{"name":"login"}]}'],
  ['{"events":[{"name":"login"},{"name":"purchase"}]}', '{"events":[{"name":"login"}]}'],
  [
    '{"events":[{"name":"login","a":1.0},{"name":"x"},{"name":"login","a":1e400}]}',
    '{"events":[{"name":"login","a":1.0},{"name":"login","a":1e400}]}',
  ],
  [
    '{"a":1,"a":2,"events":[{"name":"x"},{"\\u006eame":"log\\u0069n"}],"z":-0}',
    '{"a":1,"a":2,"events":[{"\\u006eame":"log\\u0069n"}],"z":-0}',
  ],
  [
    '{"events":[{"name":"login","properties":{"name":"purchase","events":[{"name":"purchase"}]}},{}]}',
    '{"events":[{"name":"login","properties":{"name":"purchase","events":[{"name":"purchase"}]}}]}',
  ],
  [
    '{"events":[{"name":"login","x":"}],\\"events\\":[{"},{"name":"y"}]}',
    '{"events":[{"name":"login","x":"}],\\"events\\":[{"}]}',
  ],
];

const KEPT = [
  '{"events":[]}',
  '{"events":[ ]}',
  ' {"events" : [ {"name" :\t"login"} ] }\r\n',
  '{"events":[{"name":"login"}],"x":{"events":[{"name":"purchase"}]}}',
  '{"events":[{"name":"login"}],"n":12345678901234567890.0e1}',
  latin1('{"events":[{"name":"login","é":"頁面"}]}'),
  '{"events":[{"name":"login","__proto__":{"name":"purchase"}}]}',
];

const NOT_JSON = [
  'text/html',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=a',
  'application/xml',
  'application/jsonp',
  'application/json-seq',
  'application/x-ndjson',
  'text/plain; charset=utf-16',
  'application/json; charset=iso-8859-1',
  'application/json; charset=utf-7',
  'application/json;charset="utf-16"',
  'application/json; charset=utf-8; charset=utf-16',
  'application/json, text/html',
  'application',
  '/json',
  'application/ json',
  'application/msgpack',
  'application/octet-stream',
  '*/*',
];
const AS_JSON = [
  'application/json',
  'APPLICATION/JSON',
  'application/json; charset=UTF-8',
  'application/json;charset="utf-8"',
  'application/vnd.x+json',
  'text/plain',
  'text/plain;charset=utf-8',
];

const ZEROS = Buffer.alloc(16 * 1024 * 1024);
const GOOD = '{"name":"login"}';
const BAD = '{"name":"purchase"}';
const binary = (bytes: Buffer): string => bytes.toString('latin1');
const coded = (coding: string, body: string, status: number, forwarded?: string): Attack => ({
  name: `Content-Encoding ${coding} of ${body.length} bytes: ${status} ${forwarded === undefined ? '' : 'passed'} ${JSON.stringify(body.slice(0, 12))}`,
  bytes: post('/event/ingest', body, [JSON_TYPE, `Content-Encoding: ${coding}`]),
  answers: [status],
  ...(forwarded === undefined ? {} : { forwarded: [`POST /event/ingest ${forwarded}`] }),
});

const CODINGS: readonly Attack[] = [
  ...[
    'compress',
    'gzip, br',
    'gzip,gzip',
    'gzip, identity',
    'x',
    '',
    'GZIP;q=1',
    'aws-chunked',
    'br,',
    'identity, gzip',
    'utf-8',
  ].map((coding) => coded(coding, GOOD, 415)),
  coded('gzip', binary(zlib.gzipSync(GOOD)), 204, GOOD),
  coded('GZip', binary(zlib.gzipSync(GOOD)), 204, GOOD),
  coded('br', binary(zlib.brotliCompressSync(GOOD)), 204, GOOD),
  coded('deflate', binary(zlib.deflateSync(GOOD)), 204, GOOD),
  coded('identity', GOOD, 204, GOOD),
  coded('gzip', binary(zlib.gzipSync(BAD)), 403),
  coded('br', binary(zlib.brotliCompressSync(BAD)), 403),
  coded('deflate', binary(zlib.deflateSync(BAD)), 403),
  coded('gzip', GOOD, 400),
  coded('br', GOOD, 400),
  coded('deflate', binary(zlib.deflateRawSync(GOOD)), 400),
  coded('deflate', binary(zlib.gzipSync(GOOD)), 400),
  coded('gzip', binary(zlib.gzipSync(GOOD).subarray(0, -1)), 400),
  coded('gzip', binary(Buffer.concat([zlib.gzipSync(GOOD), zlib.gzipSync(BAD)])), 400),
  coded('gzip', binary(Buffer.concat([zlib.gzipSync(GOOD), Buffer.from(BAD)])), 400),
  coded('gzip', binary(Buffer.concat([zlib.gzipSync(GOOD), Buffer.alloc(8)])), 400),
  coded('gzip', binary(zlib.gzipSync(zlib.gzipSync(GOOD))), 400),
  coded('gzip', binary(zlib.gzipSync(ZEROS)), 413),
  coded('br', binary(zlib.brotliCompressSync(ZEROS)), 413),
  coded('deflate', binary(zlib.deflateSync(ZEROS)), 413),
  {
    name: 'Content-Encoding twice',
    bytes: post('/event/ingest', GOOD, [JSON_TYPE, 'Content-Encoding: identity', 'Content-Encoding: gzip']),
    answers: [415],
  },
];

t.test('a key limited to some events sends these and no others, in whatever form they come', async (t) => {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url } } },
    keys: [
      { id: 'web', type: 'write-only', secret: WEB, allowedEvents: ['login', 'signup'] },
      { id: 'strict', type: 'write-only', secret: STRICT, allowedEvents: ['login'], disallowedEvents: 'reject' },
    ],
  });
  await runAttacks(t, { port: postern.port, backend }, [
    ...attacks('/event/ingest', SINGLE),
    ...attacks('/event/ingest/batch', BATCH),
    ...CUT.map(([sent, forwarded]): Attack => ({
      name: `cut ${sent}`,
      bytes: post('/event/ingest/batch', sent, [
        JSON_TYPE,
        'Content-MD5: x',
        'Digest: x',
        'Content-Digest: x',
        'Repr-Digest: x',
      ]),
      answers: [204],
      forwarded: [`POST /event/ingest/batch ${forwarded}`],
      check: (t, seen) => {
        t.equal(field(seen, 'content-length'), String(forwarded.length));
        for (const name of ['content-md5', 'digest', 'content-digest', 'repr-digest'])
          t.equal(field(seen, name), undefined);
      },
    })),
    ...CUT.map(([sent]): Attack => ({
      name: `reject ${sent}`,
      bytes: post('/event/ingest/batch', sent, [JSON_TYPE], STRICT),
      answers: [403],
    })),
    ...KEPT.map((body): Attack => ({
      name: `keep ${body}`,
      bytes: post('/event/ingest/batch', body),
      answers: [204],
      forwarded: [`POST /event/ingest/batch ${body}`.trimEnd()],
    })),
    ...NOT_JSON.map((type): Attack => ({
      name: `Content-Type ${type}`,
      bytes: post('/event/ingest', GOOD, [`Content-Type: ${type}`]),
      answers: [415],
    })),
    ...AS_JSON.flatMap((type): Attack[] => [
      {
        name: `Content-Type ${type}, allowed`,
        bytes: post('/event/ingest', GOOD, [`Content-Type: ${type}`]),
        answers: [204],
        forwarded: [`POST /event/ingest ${GOOD}`],
      },
      {
        name: `Content-Type ${type}, disallowed`,
        bytes: post('/event/ingest', BAD, [`Content-Type: ${type}`]),
        answers: [403],
      },
    ]),
    { name: 'no Content-Type, disallowed', bytes: post('/event/ingest', BAD, []), answers: [403] },
    ...CODINGS,
    {
      name: 'a disallowed event in many small chunks',
      bytes: post(
        '/event/ingest',
        `${BAD.split('')
          .map((char) => `1\r\n${char}\r\n`)
          .join('')}0\r\n\r\n`,
        [JSON_TYPE, 'Transfer-Encoding: chunked'],
      ),
      answers: [403],
    },
  ]);
});
