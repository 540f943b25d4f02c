/**
 * Keeps one channel subscribed: when a client's connection ends, a new client takes its place, so that no state of a broken one
 * remains. It misses what is published in between; `onSubscribed` tells the owner to look again.
 */
import type { Redis } from 'ioredis';

export interface SubscriptionEvents {
  readonly onMessage: (message: string) => void;
  /** The channel is subscribed; also after each reconnection. */
  readonly onSubscribed?: () => void;
  /** The connection broke or could not be made; `why` is fit for logs. Repeats with each failed attempt. */
  readonly onLost?: (why: string) => void;
}

export interface SubscriptionOptions {
  /** Makes a client that ends with its connection and does not reconnect. */
  readonly makeClient: () => Redis;
  readonly channel: string;
  readonly events: SubscriptionEvents;
  /** Makes an error fit for logs. */
  readonly describe: (error: unknown) => string;
}

/** How often an idle connection asks whether the server is there. */
export const HEARTBEAT_MS = 1000;
const MAX_BACKOFF_MS = 1000;

/** Milliseconds before the next attempt: exponential, with jitter so that many replicas do not come back at once. */
export const backoffMs = (attempt: number): number =>
  Math.min(MAX_BACKOFF_MS, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);

export function openSubscription({ makeClient, channel, events, describe }: SubscriptionOptions): { close(): void } {
  let client: Redis | undefined;
  let timer: NodeJS.Timeout | undefined;
  let attempt = 0;
  let closed = false;

  const open = (): void => {
    const current = makeClient();
    client = current;
    let lastError = 'connection closed';
    const heartbeat = setInterval(() => {
      if (current.status === 'ready') current.ping().catch(() => undefined);
    }, HEARTBEAT_MS).unref();
    const subscribe = async (): Promise<void> => {
      try {
        await current.subscribe(channel);
        attempt = 0;
        events.onSubscribed?.();
      } catch (error) {
        lastError = describe(error);
        current.disconnect();
      }
    };
    current.on('error', (error: unknown) => (lastError = describe(error)));
    current.on('message', (_channel: string, message: string) => events.onMessage(message));
    current.on('ready', () => void subscribe());
    current.once('end', () => {
      clearInterval(heartbeat);
      if (closed) return;
      events.onLost?.(lastError);
      // Whoever was told may have closed it.
      if (!closed) timer = setTimeout(open, backoffMs(++attempt));
    });
  };

  open();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      client?.disconnect();
    },
  };
}
