/** An upstream that answers when the test says so, and a client that records what it got. */
import type { CacheSink, CacheVerdict } from '../../src/cache/query.ts';
import type { Answer } from '../../src/cache/store.ts';
import type { Flight, ResponseSink } from '../../src/upstream/dispatch.ts';
import { failureOf, type UpstreamFailure, type UpstreamFailureKind } from '../../src/upstream/failure.ts';

export interface UpstreamCall {
  readonly sink: ResponseSink;
  aborted: boolean;
  resumed: number;
  /** A whole answer at once, with its Content-Length unless headers say otherwise. */
  readonly answer: (
    body: string | Buffer,
    answer?: { status?: number; headers?: readonly string[]; length?: boolean },
  ) => void;
  readonly fail: (kind?: UpstreamFailureKind) => void;
}

export interface FakeUpstream {
  readonly calls: UpstreamCall[];
  readonly send: (sink: ResponseSink) => Flight;
}

export function fakeUpstream(): FakeUpstream {
  const calls: UpstreamCall[] = [];
  return {
    calls,
    send(sink) {
      const call: UpstreamCall = {
        sink,
        aborted: false,
        resumed: 0,
        answer(body, { status = 200, headers = [], length = true } = {}) {
          const bytes = Buffer.from(body);
          const all = length ? [...headers, 'Content-Length', String(bytes.length)] : headers;
          sink.onResponse(status, all, 'OK');
          if (bytes.length > 0) sink.onData(bytes);
          sink.onEnd([]);
        },
        fail: (kind = 'connect') => sink.onFailure(failureOf(kind, 'as the test says')),
      };
      calls.push(call);
      return {
        abort: () => void (call.aborted = true),
        resume: () => void (call.resumed += 1),
      };
    },
  };
}

/** What one client got. */
export class Client implements CacheSink {
  verdicts: CacheVerdict[] = [];
  status = 0;
  headers: readonly string[] = [];
  body = '';
  trailers: readonly string[] = [];
  failure: UpstreamFailure | null = null;
  /** Whether `onAnswer` brought it. */
  whole = false;
  endings = 0;
  accepts = true;
  flight: Flight | null = null;

  get cacheStatus(): string | undefined {
    return this.header('cache-status') ?? (this.failure === null ? undefined : this.verdicts[0]?.status);
  }
  get result(): string | undefined {
    return this.verdicts.length === 1 ? this.verdicts[0]?.result : `${this.verdicts.length} verdicts`;
  }
  header(name: string): string | undefined {
    const at = this.headers.findIndex((field, i) => i % 2 === 0 && field.toLowerCase() === name);
    return at === -1 ? undefined : this.headers[at + 1];
  }

  onVerdict(verdict: CacheVerdict): void {
    this.verdicts.push(verdict);
  }
  onAnswer({ status, headers, body }: Answer): void {
    Object.assign(this, { status, headers, body: body.toString('latin1'), whole: true });
    this.endings++;
  }
  onResponse(status: number, headers: readonly string[]): void {
    Object.assign(this, { status, headers });
  }
  onData(chunk: Buffer): boolean {
    this.body += chunk.toString('latin1');
    return this.accepts;
  }
  onEnd(trailers: readonly string[]): void {
    this.trailers = trailers;
    this.endings++;
  }
  onFailure(failure: UpstreamFailure): void {
    this.failure = failure;
    this.endings++;
  }
}

/** All that waits for promises has run. */
export const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
