import type { Socket } from 'node:net';
import t from 'tap';
import type { Outcome } from '../../src/observability/outcome.ts';
import type { Ruleset } from '../../src/policy/ruleset.ts';
import { refusal } from '../../src/refusal.ts';
import { recordBrokenRequests } from '../../src/request/broken-requests.ts';
import { outcome } from '../support/outcomes.ts';

t.test(
  'of bytes that are no request the peer, the refusal and what could be read of the line are recorded',
  async (t) => {
    const recorded: Outcome[] = [];
    const { record, nextRequestId } = recordBrokenRequests(
      (one) => recorded.push(one),
      () => ({ apis: [] }) as unknown as Ruleset,
      { now: () => 7, monotonic: () => 0 },
    );
    const why = refusal('header_fields_too_large', 'the header section is too large');
    record({ remoteAddress: '::ffff:192.0.2.1' } as Socket, why, 'id', null);
    t.same(recorded, [
      outcome({
        requestId: 'id',
        refusal: why,
        status: 431,
        clientIp: '192.0.2.1',
        now: 7,
        api: '',
        keyId: '',
        method: '',
        path: '',
        durationSeconds: 0,
      }),
    ]);
    t.not(nextRequestId(), nextRequestId());
    const lines = [
      { method: 'POST', target: '/a/../b?key=s3cret' },
      { method: 's3cret', target: '/a' },
    ];
    for (const line of lines) record({} as Socket, why, 'id', line);
    t.same(
      recorded.slice(1).map(({ method, path }) => [method, path]),
      [
        ['POST', '/a/../b'],
        ['', '/a'],
      ],
      'what is no method could be anything',
    );
  },
);
