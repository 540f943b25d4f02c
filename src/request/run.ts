/**
 * Takes a request up the rungs, one after the other, and knows what a verdict means: in enforcement a refusal ends the way, in
 * report mode it is noted. The only place that knows report mode. What is right is decided by the rungs.
 */
import type { Mode } from '../keys/key.ts';
import { refusal, type Refusal } from '../refusal.ts';
import type { Passage } from './passage.ts';

/**
 * Whose report mode turns a refusal of this rung into a note: nobody's, the API's, or the API's and the key's. A refusal before
 * the key is known can only be noted for the API. `traffic`: the API's, for what goes to its backend; what Postern answers at an
 * endpoint of its own has to be in order there.
 */
export type Reportable = 'never' | 'traffic' | 'api' | 'key';

/** What a rung would change of the request. Report mode leaves it out, and notes the objection if there is one. */
export interface Edit {
  readonly apply: () => void;
  readonly objection: Refusal | null;
}

/** `own`: Postern answers this request itself. `taken`: the rung has it from here on. Nothing comes after either. */
export type Verdict = 'passed' | 'own' | 'taken' | Refusal | Edit;

/**
 * Begins to wait for something. Afterwards the rung is asked again. The refusal of a body that may not come whole ends the request;
 * where the API is in report mode it is noted, and the body streams. One for which there is no room ends it in any mode.
 */
export type Wait = (resume: (stop: Refusal | null) => void) => void;

/** One check of the way. `W`: what it asks of the world. */
export interface Rung<P extends Passage, W, N extends string = string> {
  readonly name: N;
  readonly reportable: Reportable;
  readonly check: (passage: P, world: W) => Verdict | Wait | Promise<Verdict>;
}

/** What the run asks of whoever owns the requests. */
export interface Host<P> {
  /** A request that waits is under way; the refusal when there are too many. Asked again, it says the same. */
  readonly begin: (passage: P) => Refusal | null;
  readonly isOver: (passage: P) => boolean;
  readonly refuse: (passage: P, reason: Refusal) => void;
  readonly answerOwn: (passage: P) => void;
}

/** Makes the function that takes a request up the rungs. A bug on one request's way ends that request, not the process. */
export function createRun<P extends Passage, W>(
  rungs: readonly Rung<P, W>[],
  world: W,
  host: Host<P>,
): (passage: P) => void {
  const advance = (passage: P, from: number): void => {
    try {
      climb(passage, from);
    } catch (error) {
      fail(passage, error);
    }
  };

  const climb = (passage: P, from: number): void => {
    if (host.isOver(passage)) return;
    for (let i = from; i < rungs.length; i++) {
      const rung = rungs[i] as Rung<P, W>;
      if (passage.isDecided && isExempt(passage, rung.reportable)) continue;
      const result = rung.check(passage, world);
      if (result === 'passed') continue;
      if (typeof result === 'function') return wait(passage, i, result);
      if (result instanceof Promise) return late(passage, i, result);
      if (judge(passage, rung.reportable, result) === 'goes on') continue;
      return end(passage, result);
    }
  };

  const end = (passage: P, verdict: Verdict): void => {
    if (verdict === 'own') host.answerOwn(passage);
    else if (typeof verdict === 'object' && 'code' in verdict) host.refuse(passage, verdict);
  };

  const wait = (passage: P, at: number, begin: Wait): void => {
    const full = host.begin(passage);
    if (full !== null) return host.refuse(passage, full);
    begin((stop) => {
      if (stop === null) advance(passage, at);
      else if (judge(passage, stop.code === 'overloaded' ? 'never' : 'traffic', stop) === 'goes on')
        advance(passage, at + 1);
      else host.refuse(passage, stop);
    });
  };

  const late = (passage: P, at: number, result: Promise<Verdict>): void => {
    const { reportable } = rungs[at] as Rung<P, W>;
    const goOn = (verdict: Verdict): void => {
      if (host.isOver(passage)) return;
      if (judge(passage, reportable, verdict) === 'goes on') advance(passage, at + 1);
      else end(passage, verdict);
    };
    result.then(goOn).catch((error: unknown) => fail(passage, error));
  };

  const fail = (passage: P, error: unknown): void =>
    host.refuse(passage, refusal('internal_error', `a step failed: ${(error as Error).message}`));

  return (passage) => advance(passage, 0);
}

/** What a verdict does to the request. An edit is made or left out; a refusal ends the way or is noted. */
export function judge(passage: Passage, reportable: Reportable, verdict: Verdict): 'goes on' | 'ends' {
  if (verdict === 'passed') return 'goes on';
  const enforced = modeOf(passage, reportable) === 'enforce';
  if (typeof verdict === 'string') {
    if (enforced || verdict === 'taken') return 'ends';
    passage.isDecided = true;
    return 'goes on';
  }
  if ('apply' in verdict) {
    if (enforced) verdict.apply();
    else if (verdict.objection !== null) note(passage, verdict.objection);
    return 'goes on';
  }
  if (enforced) return 'ends';
  note(passage, verdict);
  return 'goes on';
}

/** Enforcement would have answered with the first. */
function note(passage: Passage, objection: Refusal): void {
  if (!passage.isDecided) passage.wouldReject = objection;
  passage.isDecided = true;
}

/** Enforcement would have ended the way by then: in report mode nothing that could be noted is asked any more. */
export function isExempt(passage: Passage, reportable: Reportable): boolean {
  return passage.isDecided && modeOf(passage, reportable) === 'report';
}

export function modeOf({ api, endpoint, identity }: Passage, reportable: Reportable): Mode {
  if (reportable === 'never') return 'enforce';
  if (api?.enforcement === 'report') return reportable === 'traffic' && endpoint !== null ? 'enforce' : 'report';
  return reportable === 'key' && identity?.key.mode === 'report' ? 'report' : 'enforce';
}
