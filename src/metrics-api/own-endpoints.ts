/**
 * The requests to the metrics API that Postern answers itself: the token endpoint and the JWK Set. Reads the body, asks the
 * endpoint, writes what it says. Nothing of them is ever forwarded.
 */
import { answer } from '../data-port/answer.ts';
import { collectBody } from '../data-port/body.ts';
import { CLIENT_GONE, type Admitted, type Exchange } from '../data-port/exchange.ts';
import type { Gateway } from '../gateway.ts';
import { declaredLength } from '../policy/facts.ts';
import { checkGuards, clientOf } from '../policy/pipeline.ts';
import { refusal, type Refusal } from '../policy/refusal.ts';
import type { ApiRules } from '../policy/ruleset.ts';
import type { MetricsService } from './metrics-service.ts';
import type { TokenAnswer } from './token-answer.ts';
import { MAX_TOKEN_BODY_BYTES, refuse, type TokenOutcome, type TokenRequest } from './token-endpoint.ts';

export interface OwnEndpointPorts {
  readonly gateway: Pick<Gateway, 'refuse' | 'settle'>;
  readonly serviceOf: (api: ApiRules) => MetricsService;
}

/** Makes the function that answers an exchange whose steps ended at one of these endpoints. */
export function createOwnEndpoints({ gateway, serviceOf }: OwnEndpointPorts): (exchange: Admitted) => void {
  return (exchange) => {
    const service = serviceOf(exchange.passage.api);
    if (exchange.passage.endpoint === 'key set') serveKeySet(gateway, exchange, service.tokens.jwks ?? '');
    else serveToken(gateway, exchange, service);
  };
}

function serveKeySet(gateway: OwnEndpointPorts['gateway'], exchange: Admitted, jwks: string): void {
  const headers = ['Content-Type', 'application/jwk-set+json', 'Cache-Control', 'public, max-age=300'];
  answer(exchange, {
    status: 200,
    headers: [...headers, 'X-Request-Id', exchange.requestId],
    body: jwks,
    close: false,
  });
  gateway.settle(exchange, { status: 200 });
}

function serveToken(gateway: OwnEndpointPorts['gateway'], exchange: Admitted, { endpoint }: MetricsService): void {
  const { facts, passage } = exchange;
  const head = {
    contentType: facts.headers.contentType,
    contentEncoding: facts.headers.contentEncoding,
    authorization: facts.headers.authorization,
    address: clientOf(passage).text,
    requestId: exchange.requestId,
    keys: passage.rules.keys,
    now: facts.now,
  };
  const end = (reason: Refusal): void => send(gateway, exchange, refuse(head, reason));
  if (facts.method !== 'POST')
    return end({ ...refusal('method_not_supported', 'the token endpoint takes POST alone'), allow: 'POST' });
  const early = endpoint.open(head);
  if (early !== null) return send(gateway, exchange, early);
  const tooLarge = refusal('body_too_large', `a token request is over ${MAX_TOKEN_BODY_BYTES} bytes`);
  const framing = { contentLength: declaredLength(facts), maxBytes: MAX_TOKEN_BODY_BYTES };
  if ((framing.contentLength ?? 0) > framing.maxBytes) return end(tooLarge);
  if (exchange.awaitsContinue) exchange.res.writeContinue();
  collectBody(exchange.req, framing, (body) => {
    if (exchange.settled) return;
    if (body === 'aborted') return gateway.settle(exchange, { status: CLIENT_GONE });
    if (body === 'too_large') return end(tooLarge);
    const guard: TokenRequest['guard'] = (identity) => {
      passage.identity = identity;
      return checkGuards(passage);
    };
    endpoint
      .answer({ ...head, body, guard })
      .then((outcome) => send(gateway, exchange, outcome))
      .catch(() => end(refusal('internal_error', 'a token could not be issued')));
  });
}

function send(gateway: OwnEndpointPorts['gateway'], exchange: Exchange, outcome: TokenOutcome): void {
  if (exchange.settled) return;
  if (outcome.kind === 'refused') {
    if (outcome.answer === null) return gateway.refuse(exchange, outcome.refusal);
    exchange.refusal = outcome.refusal;
    return write(gateway, exchange, outcome.answer, false);
  }
  write(gateway, exchange, outcome.answer, true);
}

function write(
  gateway: OwnEndpointPorts['gateway'],
  exchange: Exchange,
  { status, headers, body }: TokenAnswer,
  tokenIssued: boolean,
): void {
  answer(exchange, { status, headers, body, close: false });
  gateway.settle(exchange, { status, tokenIssued });
}
