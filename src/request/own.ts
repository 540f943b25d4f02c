/**
 * The requests that Postern answers itself: CORS preflights, the token endpoint, the JWK Set. Nothing of them is ever forwarded.
 */
import { answer } from '../data-port/answer.ts';
import type { ApiTokens } from '../tokens/tokens.ts';
import { MAX_TOKEN_BODY_BYTES, neitherForm, type TokenHead } from '../tokens/token-endpoint.ts';
import { oauthRefusal, type TokenAnswer } from '../tokens/token-answer.ts';
import { speaksOAuth } from '../tokens/token-request.ts';
import { admittedOrigins, preflightHeaders } from '../policy/cors.ts';
import type { ApiRules } from '../policy/ruleset.ts';
import { corsHeadersFor, mayHaveCredentials } from './cors-headers.ts';
import type { Ending } from './ending.ts';
import type { Exchange } from './exchange.ts';
import { clientOf, isIdentified, isRouted, type Routed } from './passage.ts';
import type { Verdict, Wait } from './run.ts';

export interface OwnWorld {
  readonly ending: Ending;
  /** The access tokens of an API that has them, as they belong to these rules. */
  readonly tokensOf: (api: ApiRules) => ApiTokens;
  /** The public keys of all APIs (RFC 7517), as JSON. */
  readonly keySet: () => string;
}

/** Answers an exchange whose way ended at an endpoint that needs nothing more. */
export function answerOwn(exchange: Exchange, { ending, keySet }: OwnWorld): void {
  if (!isRouted(exchange)) throw new Error('an endpoint of Postern was asked before the route');
  const { facts, api } = exchange;
  if (exchange.endpoint !== 'key set') {
    exchange.endpoint = 'preflight';
    const origin = facts.headers.origin ?? '';
    const headers = preflightHeaders(facts, {
      rules: api.cors,
      methods: admittedOrigins(exchange.rules.keys, api.name).methodsFor(origin, isForPages(api, exchange.path)),
      credentials: mayHaveCredentials(exchange, origin),
    });
    return write(exchange, ending, { status: 204, headers, body: '' });
  }
  const headers = ['Content-Type', 'application/jwk-set+json', 'Cache-Control', 'public, max-age=300'];
  write(exchange, ending, { status: 200, headers, body: keySet() });
}

/** Whether pages with a key for sending may read what is at the path. */
const isForPages = ({ router }: ApiRules, path: string): boolean =>
  ['GET', 'HEAD'].some((method) => router.match(method, path)?.route.pages === true);

function write(exchange: Exchange, ending: Ending, { status, headers, body }: TokenAnswer): void {
  answer(exchange, { status, headers: [...headers, 'X-Request-Id', exchange.requestId], body, close: false });
  ending.settle(exchange, { status });
}

/** Whose client secret and API key a token request shows. Refused in the words of OAuth where it came in them. */
export function takeClientCredentials(exchange: Routed<Exchange>, { tokensOf }: OwnWorld): Verdict | Wait {
  if (exchange.endpoint !== 'token') return 'passed';
  const { body } = exchange;
  const { endpoint } = tokensOf(exchange.api);
  const head = headOf(exchange);
  refuseInOAuth(exchange, speaksOAuth(head));
  const early = endpoint.open(head);
  if (early !== null) return early;
  if (!Buffer.isBuffer(body)) return (resume) => exchange.readBody(MAX_TOKEN_BODY_BYTES, resume);
  const form = endpoint.formOf(head, body);
  if (form === null) return neitherForm();
  refuseInOAuth(exchange, form === 'oauth');
  const identity = endpoint.identify(head, form, body);
  if (!identity.ok) return identity.refusal;
  exchange.identity = identity.value;
  return 'passed';
}

function refuseInOAuth(exchange: Routed<Exchange>, speaks: boolean): void {
  const { requestId, api } = exchange;
  const realm = api.name;
  exchange.refusalForm = speaks ? (reason) => oauthRefusal(requestId, reason, realm) : null;
}

/** The pair is right, and may be used from there: the end of a token request's way. */
export function issueToken(exchange: Exchange, { ending, tokensOf }: OwnWorld): Verdict | Promise<Verdict> {
  if (exchange.endpoint !== 'token' || !isIdentified(exchange)) return 'passed';
  const form = exchange.refusalForm === null ? 'json' : 'oauth';
  return tokensOf(exchange.api)
    .endpoint.issue(headOf(exchange), form, exchange.identity)
    .then(({ status, headers, body }) => {
      answer(exchange, { status, headers: [...headers, ...corsHeadersFor(exchange)], body, close: false });
      ending.settle(exchange, { status, tokenIssued: true });
      return 'taken';
    });
}

function headOf(exchange: Exchange): TokenHead {
  const { facts } = exchange;
  return {
    method: facts.method,
    contentType: facts.headers.contentType,
    contentEncoding: facts.headers.contentEncoding,
    authorization: facts.headers.authorization,
    address: clientOf(exchange).text,
    requestId: exchange.requestId,
    keys: exchange.rules.keys,
    now: facts.now,
  };
}
