/**
 * What is recorded of bytes that are no request: Node's parser gave up on them, so that nothing is known but the peer and the refusal.
 */
import type { ClientErrorPorts } from '../data-port/client-error.ts';
import { peerOf } from '../data-port/socket-record.ts';
import { requestIds } from '../data-port/request-id.ts';
import type { Outcome } from '../observability/outcome.ts';
import { REFUSALS } from '../refusal.ts';
import type { Exchange } from './exchange.ts';
import type { Clock } from './gateway.ts';

/** Numbers them, and makes the record of each. */
export function recordBrokenRequests(
  record: (outcome: Outcome) => void,
  clock: Clock,
): Pick<ClientErrorPorts<Exchange>, 'nextRequestId' | 'record'> {
  return {
    nextRequestId: requestIds(),
    record: (socket, refusal, requestId) =>
      record({
        requestId,
        refusal,
        wouldReject: null,
        api: '',
        keyId: '',
        secretId: '',
        method: '',
        path: '',
        forwardedEvents: 0,
        removedEvents: 0,
        rejectedEvents: 0,
        events: [],
        userAgent: undefined,
        traceId: null,
        durationSeconds: 0,
        upstreamSeconds: null,
        upstreamFailure: null,
        cache: null,
        tokenIssued: false,
        clientIp: peerOf(socket).text,
        status: REFUSALS[refusal.code].status,
        aborted: false,
        now: clock.now(),
      }),
  };
}
