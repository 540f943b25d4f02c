import type { Socket } from 'node:net';
import t from 'tap';
import type { Outcome } from '../../src/observability/outcome.ts';
import { refusal } from '../../src/refusal.ts';
import { recordBrokenRequests } from '../../src/request/broken-requests.ts';
import { outcome } from '../support/outcomes.ts';

t.test('of bytes that are no request the peer and the refusal are recorded, and nothing else is known', async (t) => {
  const recorded: Outcome[] = [];
  const { record, nextRequestId } = recordBrokenRequests((one) => recorded.push(one), {
    now: () => 7,
    monotonic: () => 0,
  });
  const why = refusal('header_fields_too_large', 'the header section is too large');
  record({ remoteAddress: '::ffff:192.0.2.1' } as Socket, why, 'id');
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
});
