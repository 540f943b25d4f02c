/**
 * Decides whether a request to a backend goes now, waits for one under way to end, or is turned away.
 * Both the length of the line and the time in it are bounded, so that a hung backend cannot pile up requests without end, and
 * each holder has a share of both: what one has under way or in line keeps no other from going.
 */
import { createTallies } from '../lib/tallies.ts';

/** One request in line. Exactly one of the two is called, unless it left by `forget`. */
export interface Waiter {
  start(): void;
  /** `ofShare`: its holder had its whole share under way, whatever room there was for others. */
  expire(ofShare: boolean): void;
}

export interface ConcurrencyLimitSettings {
  /** How many may be under way at once. */
  readonly limit: number;
  /** How many of them one holder may have. */
  readonly perHolder: number;
  /** How many may wait for each that may be under way. */
  readonly waitingForEach: number;
  readonly maxWaitMs: number;
}

export interface ConcurrencyLimit {
  /** `go`: the caller is under way and owes a `leave`. `wait`: `start` or `expire` follows. Else turned away. */
  enter(waiter: Waiter, holder: string): 'go' | 'wait' | 'full' | 'share full';
  /** One of this holder's that was under way has ended; the next in line starts. */
  leave(holder: string): void;
  /** A waiting one gave up. */
  forget(waiter: Waiter): void;
  /** Calls back, once, as soon as nothing is under way or waiting. */
  whenIdle(callback: () => void): void;
}

interface Share {
  underWay: number;
  /** First come, first served. */
  readonly waiting: Set<Waiter>;
}

interface Place {
  readonly share: Share;
  readonly deadline: number;
}

/** Makes the limit for one backend. Holders are served in turn, each in the order of its requests. */
export function createConcurrencyLimit(settings: ConcurrencyLimitSettings): ConcurrencyLimit {
  const { limit, perHolder, waitingForEach, maxWaitMs } = settings;
  const shares = createTallies<Share>({
    make: () => ({ underWay: 0, waiting: new Set() }),
    isIdle: ({ underWay, waiting }) => underWay === 0 && waiting.size === 0,
  });
  /** All who wait, the first come first. */
  const line = new Map<Waiter, Place>();
  /** Who waits with room in the own share, in the order of turns: none while there is room for another one under way. */
  const turns = new Set<Share>();
  let idleCallbacks: (() => void)[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | null = null;

  const expireOverdue = (): void => {
    timer = null;
    const now = performance.now();
    for (const [waiter, { share, deadline }] of line) {
      if (deadline > now) break;
      leaveLine(waiter, share);
      waiter.expire(share.underWay >= perHolder);
    }
    watchOldest();
    announceIdle();
  };

  // All wait equally long, so the first in line is always the first to be overdue: one timer serves all.
  const watchOldest = (): void => {
    if (timer !== null) return;
    const oldest = line.values().next();
    if (oldest.done === true) return;
    timer = setTimeout(expireOverdue, Math.max(1, oldest.value.deadline - performance.now()));
    timer.unref();
  };

  const announceIdle = (): void => {
    if (underWay > 0 || line.size > 0 || idleCallbacks.length === 0) return;
    const callbacks = idleCallbacks;
    idleCallbacks = [];
    for (const callback of callbacks) callback();
  };

  const leaveLine = (waiter: Waiter, share: Share): void => {
    line.delete(waiter);
    share.waiting.delete(waiter);
    if (share.waiting.size === 0) turns.delete(share);
  };

  /** Gives the place of one that ended to the holder whose turn it is, who goes to the end of the turns. */
  const passOn = (): boolean => {
    const turn = turns.values().next();
    if (turn.done === true) return false;
    const share = turn.value;
    const waiter = share.waiting.values().next().value as Waiter;
    turns.delete(share);
    leaveLine(waiter, share);
    share.underWay += 1;
    if (share.waiting.size > 0 && share.underWay < perHolder) turns.add(share);
    // Not at once: a backend that fails everything would start the whole line inside one call.
    process.nextTick(() => waiter.start());
    return true;
  };

  return {
    enter(waiter, holder) {
      const share = shares.of(holder);
      const hasRoom = share.underWay < perHolder;
      if (underWay < limit && hasRoom) {
        underWay += 1;
        share.underWay += 1;
        return 'go';
      }
      const { size } = share.waiting;
      if (size >= perHolder * waitingForEach) return 'share full';
      // However long the line is, somebody of whom nobody waits finds a place in it.
      if (size > 0 && line.size >= limit * waitingForEach) return 'full';
      share.waiting.add(waiter);
      line.set(waiter, { share, deadline: performance.now() + maxWaitMs });
      if (hasRoom) turns.add(share);
      watchOldest();
      return 'wait';
    },
    leave(holder) {
      const share = shares.of(holder);
      share.underWay -= 1;
      if (share.waiting.size > 0) turns.add(share);
      if (passOn()) return;
      underWay -= 1;
      announceIdle();
    },
    forget(waiter) {
      const place = line.get(waiter);
      if (place === undefined) return;
      leaveLine(waiter, place.share);
      announceIdle();
    },
    whenIdle(callback) {
      idleCallbacks.push(callback);
      announceIdle();
    },
  };
}
