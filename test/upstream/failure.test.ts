import t from 'tap';
import { failureFrom, failureOf, type FlightPhase, type UpstreamFailureKind } from '../../src/upstream/failure.ts';

const error = (code: string, message = 'text'): Error => Object.assign(new Error(message), { code });

void t.test('each error has one kind, by its code and by how far the request had come', (t) => {
  const cases: [Error, FlightPhase, UpstreamFailureKind][] = [
    [error('ECONNREFUSED'), 'connecting', 'connect'],
    [error('ENOTFOUND'), 'connecting', 'connect'],
    [error('EHOSTUNREACH'), 'connecting', 'connect'],
    [error('ETIMEDOUT'), 'connecting', 'connect_timeout'],
    [error('ETIMEDOUT'), 'sent', 'reset'],
    [error('ECONNRESET'), 'connecting', 'connect'],
    [error('ECONNRESET'), 'sent', 'reset'],
    [error('ECONNRESET'), 'answering', 'truncated'],
    [error('EPIPE'), 'sent', 'reset'],
    [error('DEPTH_ZERO_SELF_SIGNED_CERT'), 'connecting', 'tls'],
    [error('ERR_TLS_CERT_ALTNAME_INVALID'), 'connecting', 'tls'],
    [error('CERT_HAS_EXPIRED'), 'connecting', 'tls'],
    [error('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'connecting', 'tls'],
    [error('EPROTO'), 'connecting', 'tls'],
    [error('E_NEVER_HEARD_OF'), 'sent', 'unknown'],
    [new TypeError('a bug'), 'sent', 'unknown'],
  ];
  for (const [cause, phase, kind] of cases) t.equal(failureFrom(cause, phase).kind, kind, `${String(cause)} ${phase}`);
  t.end();
});

void t.test('what is not even an error is unknown', (t) => {
  for (const cause of [null, undefined, 'text', 7, {}]) t.equal(failureFrom(cause, 'sent').kind, 'unknown');
  t.end();
});

void t.test('late is 504, connecting late is 502, a full line is 503', (t) => {
  t.equal(failureOf('header_timeout', '').code, 'upstream_timeout');
  t.equal(failureOf('idle_timeout', '').code, 'upstream_timeout');
  t.equal(failureOf('connect_timeout', '').code, 'upstream_unreachable');
  t.equal(failureOf('overloaded', '').code, 'overloaded');
  for (const kind of ['connect', 'tls', 'reset', 'malformed', 'truncated', 'unknown'] as const)
    t.equal(failureOf(kind, '').code, 'upstream_unreachable', kind);
  t.end();
});

void t.test('the reason is one bounded line that names the code', (t) => {
  t.equal(failureFrom(error('EPIPE', 'write\r\n\tfailed'), 'sent').why, 'EPIPE: write failed');
  t.equal(failureFrom(error('ECONNREFUSED', 'connect ECONNREFUSED ::1:1'), 'sent').why, 'connect ECONNREFUSED ::1:1');
  t.ok(failureFrom(error('X', 'y'.repeat(5_000)), 'sent').why.length < 250);
  t.end();
});

void t.test('each code that means one thing means it in every phase', async (t) => {
  const codes = {
    malformed: ['ERR_INVALID_CHAR', 'ERR_INVALID_HTTP_TOKEN', 'ERR_HTTP_INVALID_STATUS_CODE'],
    connect: [
      'ECONNREFUSED',
      'EHOSTUNREACH',
      'EHOSTDOWN',
      'ENETUNREACH',
      'ENETDOWN',
      'EADDRNOTAVAIL',
      'EACCES',
      'EPERM',
      'EMFILE',
      'ENFILE',
      'ENOENT',
      'ENOTDIR',
      'ELOOP',
      'ENOTSOCK',
      'EPROTOTYPE',
      'EAGAIN',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EAI_FAIL',
      'EAI_NODATA',
      'EAI_NONAME',
    ],
    tls: [
      'EPROTO',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'HOSTNAME_MISMATCH',
      'INVALID_CA',
      'INVALID_PURPOSE',
      'PATH_LENGTH_EXCEEDED',
      'ERR_TLS_X',
      'ERR_SSL_X',
      'ERR_OSSL_X',
      'CERT_X',
      'CRL_X',
      'UNABLE_TO_X',
      'ERROR_IN_CERT_X',
    ],
  };
  for (const phase of ['connecting', 'sent', 'answering'] as const)
    for (const [kind, names] of Object.entries(codes))
      for (const name of names) t.equal(failureFrom(error(name), phase).kind, kind, `${name} ${phase}`);
  for (const name of ['ECONNRESET', 'ECONNABORTED', 'EPIPE'])
    for (const [phase, kind] of [
      ['connecting', 'connect'],
      ['sent', 'reset'],
      ['answering', 'truncated'],
    ] as const)
      t.equal(failureFrom(error(name), phase).kind, kind, `${name} ${phase}`);
});

void t.test('every run of white space in a reason is one space', async (t) => {
  t.equal(failureFrom(error('X', ' a\r\n\tb \n c '), 'sent').why, 'X: a b c');
});

t.test('of an error of OpenSSL, the reason alone: what differs from thread to thread groups no lines', async (t) => {
  const message =
    '80EC21627B7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/ssl3_record.c:350:\n';
  const code = 'ERR_SSL_WRONG_VERSION_NUMBER';
  const why = (error: object): string => failureFrom(error, 'connecting').why;
  t.equal(why({ code, message, reason: 'wrong version number' }), 'ERR_SSL_WRONG_VERSION_NUMBER: wrong version number');
  t.match(why({ code, message }), /^ERR_SSL_WRONG_VERSION_NUMBER: 80EC/);
  t.equal(
    why({ code: 'ERR_OSSL_X', message, reason: 'a key that is too short' }),
    'ERR_OSSL_X: a key that is too short',
  );
  t.equal(
    why({ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1', reason: 'x' }),
    'connect ECONNREFUSED 127.0.0.1:1',
  );
});
