/**
 * What is recorded of bytes that are no request: Node's parser gave up on them, so that nothing is known but the peer, the refusal and
 * perhaps the request line, which is written down and never judged.
 */
import { METHODS } from 'node:http';
import type { ClientErrorPorts } from '../data-port/client-error.ts';
import { peerOf } from '../data-port/socket-record.ts';
import { requestIds } from '../data-port/request-id.ts';
import type { Outcome } from '../observability/outcome.ts';
import type { Ruleset } from '../policy/ruleset.ts';
import { REFUSALS } from '../refusal.ts';
import type { Exchange } from './exchange.ts';
import type { Clock } from './gateway.ts';
import { receivedPathToWrite } from './written-path.ts';

/** Numbers them, and makes the record of each. What stands in the place of a method, and is none, could be anything: it is left out. */
export function recordBrokenRequests(
  record: (outcome: Outcome) => void,
  rules: () => Ruleset,
  clock: Clock,
): Pick<ClientErrorPorts<Exchange>, 'nextRequestId' | 'record'> {
  return {
    nextRequestId: requestIds(),
    record: (socket, refusal, requestId, line) =>
      record({
        requestId,
        refusal,
        wouldReject: null,
        api: '',
        keyId: '',
        secretId: '',
        method: line !== null && METHODS.includes(line.method) ? line.method : '',
        path: line === null ? '' : receivedPathToWrite(line.target, rules()),
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
