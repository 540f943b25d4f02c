/**
 * What becomes of an admitted request's body: it is read when somebody has to look into it, the credential in it is handed
 * over, its events are judged. Then it is passed on; a body that nobody looks into streams. What is right is decided elsewhere.
 */
import { decodeBody } from '../event-filter/decode.ts';
import type { EventFilter } from '../event-filter/filter.ts';
import { atTurnEnd } from '../lib/turn-end.ts';
import { handOverBody, mayHoldCredential } from '../policy/body-credential.ts';
import { checkEventMedia, eventFilterOf } from '../policy/events.ts';
import { announcesBody, declaredLength } from '../policy/facts.ts';
import {
  admit,
  checkCredential,
  FROM_CREDENTIAL,
  modeOf,
  type PolicyPorts,
  type StepResult,
} from '../policy/pipeline.ts';
import { allowed, refusal, type Decision, type Refusal } from '../policy/refusal.ts';
import { arrivedBody, collectBody, type BodyFraming } from './body.ts';
import { CLIENT_GONE, type Admitted, type AnswerFacts } from './exchange.ts';

export interface BodyPorts extends PolicyPorts {
  /** Sends the request on, with the body that is in the exchange by then. */
  readonly pass: (exchange: Admitted) => void;
  /** Whether whoever takes the exchange needs the whole body first. */
  readonly needsBody: (exchange: Admitted) => boolean;
  readonly refuse: (exchange: Admitted, reason: Refusal) => void;
  readonly settle: (exchange: Admitted, facts: AnswerFacts) => void;
  /** Runs a step so that its failure ends the request alone. */
  readonly attempt: (exchange: Admitted, step: () => void | Promise<void>) => void;
  /** Takes the request on its way by what its steps said. */
  readonly follow: (exchange: Admitted, result: StepResult | Promise<StepResult>) => void | Promise<void>;
}

export interface BodyWay {
  /** Of a request that passed every step. */
  readonly takeBody: (exchange: Admitted) => void;
  /** Of a request whose credential can only be in its body. */
  readonly readCredential: (exchange: Admitted) => void;
}

export function createBodyWay(ports: BodyPorts): BodyWay {
  const { pass, needsBody, refuse, settle, attempt, follow } = ports;

  function takeBody(exchange: Admitted): void {
    const { facts, passage } = exchange;
    const { api, wouldReject } = passage;
    // What an API in report mode would have refused already goes on as it came.
    if (mayHoldCredential(facts, api) && (wouldReject === null || api.enforcement === 'enforce')) {
      if (passage.bodyText === null) return lookIntoBody(exchange, () => checkCredential(passage));
      handBodyOver(exchange);
    }
    const filter = passage.wouldReject === null ? eventFilterOf(passage) : null;
    if (filter === null) return passBody(exchange);
    readText(exchange, (text) => {
      if (text.ok) judgeEvents(exchange, filter, text.value);
      else if (object(exchange, text.refusal) === 'reported') passBody(exchange);
    });
  }

  const readCredential = (exchange: Admitted): void =>
    lookIntoBody(exchange, () => admit(exchange.passage, ports, FROM_CREDENTIAL));

  /** Reads the body for the credential that may be in it; with that known, the steps are asked again. */
  function lookIntoBody(exchange: Admitted, steps: () => StepResult | Promise<StepResult>): void {
    readText(exchange, (text) => {
      exchange.passage.bodyText = text;
      attempt(exchange, () => follow(exchange, steps()));
    });
  }

  function handBodyOver(exchange: Admitted): void {
    const { passage } = exchange;
    const handed = passage.bodyText?.ok ? handOverBody(passage.bodyText.value, passage.api) : null;
    if (handed === null) return;
    passage.bodyText = allowed(handed);
    passage.bodyHandedOver = true;
    exchange.body = handed;
    exchange.bodyChanged = true;
  }

  function passBody(exchange: Admitted): void {
    if (exchange.body !== 'none') return pass(exchange);
    if (needsBody(exchange)) return readBody(exchange, () => pass(exchange));
    if (exchange.awaitsContinue) exchange.res.writeContinue();
    if (!announcesBody(exchange.facts)) return pass(exchange);
    const passArrived = (): void => {
      if (exchange.settled) return;
      const arrived = arrivedBody(exchange.req, framingOf(exchange));
      if (arrived === 'too_large') return refuse(exchange, bodyTooLarge(exchange));
      exchange.body = arrived ?? 'stream';
      pass(exchange);
    };
    atTurnEnd(() => attempt(exchange, passArrived));
  }

  /** The body without its content coding. Everything that can be said before it is read is said before `100 Continue`. */
  function readText(exchange: Admitted, then: (text: Decision<Buffer>) => void): void {
    const { facts, passage } = exchange;
    if (passage.bodyText !== null) return afterLook(exchange, passage.bodyText, then);
    const media = checkEventMedia(facts.headers);
    if (!media.ok) return then(media);
    readBody(exchange, (body) => {
      if (media.value === 'identity') return then(allowed(body));
      const use = (text: Decision<Buffer>): void => (exchange.settled ? undefined : then(text));
      attempt(exchange, () => decodeBody(body, media.value, passage.api.maxBodyBytes).then(use));
    });
  }

  /** A text that was looked through already in this turn: a large one leaves the others a turn before it is again. */
  function afterLook(exchange: Admitted, text: Decision<Buffer>, then: (text: Decision<Buffer>) => void): void {
    if (!text.ok || text.value.length < LARGE_BYTES) return then(text);
    setImmediate(() => attempt(exchange, () => (exchange.settled ? undefined : then(text))));
  }

  function readBody(exchange: Admitted, then: (body: Buffer) => void): void {
    if (exchange.awaitsContinue) exchange.res.writeContinue();
    collectBody(exchange.req, framingOf(exchange), (body) => {
      if (exchange.settled) return;
      if (body === 'aborted') return settle(exchange, { status: CLIENT_GONE });
      if (body === 'too_large') return refuse(exchange, bodyTooLarge(exchange));
      exchange.body = body;
      attempt(exchange, () => then(body));
    });
  }

  /** In report mode the body goes on as it came, whatever would have been cut. */
  function judgeEvents(exchange: Admitted, filter: EventFilter, body: Buffer): void {
    const result = filter(body);
    if (!result.ok) {
      exchange.rejectedEvents = result.rejected;
      if (object(exchange, result.refusal) === 'refused') return;
    } else {
      exchange.forwardedEvents = result.forwarded;
      exchange.removedEvents = result.removed;
      if (result.cut && modeOf(exchange.passage, 'key') === 'enforce') {
        exchange.body = result.body;
        exchange.bodyChanged = true;
      } else if (result.cut)
        exchange.passage.wouldReject = refusal('event_not_allowed', `${result.removed} events would be removed`);
    }
    pass(exchange);
  }

  /** Refuses, or notes in report mode that enforcement would have. */
  function object(exchange: Admitted, reason: Refusal): 'refused' | 'reported' {
    if (modeOf(exchange.passage, 'key') === 'report') {
      exchange.passage.wouldReject = reason;
      return 'reported';
    }
    refuse(exchange, reason);
    return 'refused';
  }

  return { takeBody, readCredential };
}

const LARGE_BYTES = 65_536;

/** Of a body that turned out to be over the limit, whatever it declared. */
export const bodyTooLarge = ({ passage: { api } }: Admitted): Refusal =>
  refusal('body_too_large', `the body is over maxBodyBytes (${api.maxBodyBytes})`);

const framingOf = ({ facts, passage: { api } }: Admitted): BodyFraming => ({
  contentLength: declaredLength(facts),
  maxBytes: api.maxBodyBytes,
});
