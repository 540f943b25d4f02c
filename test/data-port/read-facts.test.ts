import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { readFacts } from '../../src/data-port/read-facts.ts';
import { NOON } from '../support/passages.ts';

t.test('facts are what Node read, untouched', async (t) => {
  const req = {
    method: 'POST',
    url: '/a?b',
    httpVersion: '1.0',
    rawHeaders: ['hOST', 'a'],
    socket: { remoteAddress: '192.0.2.1', encrypted: true },
  };
  t.match(readFacts(req as never as IncomingMessage, NOON), {
    method: 'POST',
    target: '/a?b',
    httpVersion: '1.0',
    rawHeaders: ['hOST', 'a'],
    headers: { host: 'a' },
    peer: { text: '192.0.2.1' },
    secure: true,
    now: NOON,
  });
  const plain = { ...req, socket: { remoteAddress: '192.0.2.1' } };
  t.equal(readFacts(plain as never as IncomingMessage, NOON).secure, false);
});
