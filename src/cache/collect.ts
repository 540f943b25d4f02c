/**
 * Gathers an upstream's answer in memory, up to a bound, so that it can be kept and shared. What is not worth gathering, or grows
 * too large, is handed to one taker as a stream instead, from its first byte. Decides nothing about caching.
 */
import { GatheredBytes } from '../lib/gathered-bytes.ts';
import type { Call } from '../lib/single-flight.ts';
import type { Flight, ResponseSink } from '../upstream/dispatch.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import type { AnswerHead } from './storability.ts';

export type Collected =
  | { readonly kind: 'whole'; readonly head: AnswerHead; readonly body: Buffer }
  | { readonly kind: 'stream'; readonly head: AnswerHead; readonly take: TakeStream }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure };

/** Hands the answer over, once: null for all but the first taker. The upstream is held up until somebody takes it. */
export type TakeStream = (sink: ResponseSink) => Flight | null;

export interface CollectSettings {
  readonly maxBytes: number;
  /** Whether an answer with this head is to be gathered at all. */
  readonly keeps: (head: AnswerHead) => boolean;
}

/** Sends a request and gathers its answer. The result never rejects; abort also ends a stream, taken or not. */
export function collect(send: (sink: ResponseSink) => Flight, settings: CollectSettings): Call<Collected> {
  const collector = new Collector(settings);
  const flight = send(collector);
  collector.flight = flight;
  return { result: collector.result, abort: () => flight.abort() };
}

type End =
  | { readonly kind: 'complete'; readonly trailers: readonly string[] }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure };

class Collector implements ResponseSink {
  readonly result: Promise<Collected>;
  flight: Flight | null = null;
  readonly #settings: CollectSettings;
  #resolve!: (collected: Collected) => void;
  #head: AnswerHead = { status: 0, statusText: '', headers: [] };
  #gathered: GatheredBytes;
  #streams = false;
  #taker: ResponseSink | null = null;
  #end: End | null = null;

  constructor(settings: CollectSettings) {
    this.#settings = settings;
    this.#gathered = new GatheredBytes(settings.maxBytes);
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onResponse(status: number, headers: readonly string[], statusText: string): void {
    this.#head = { status, headers, statusText };
    if (!this.#settings.keeps(this.#head)) this.#stream();
  }

  onData(chunk: Buffer): boolean {
    if (this.#taker !== null) return this.#taker.onData(chunk);
    this.#gathered.add(chunk);
    if (!this.#streams && this.#gathered.size > this.#settings.maxBytes) this.#stream();
    return !this.#streams;
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#taker !== null) return this.#taker.onEnd(trailers);
    this.#end = { kind: 'complete', trailers };
    if (this.#streams) return;
    // Trailers have no place in an answer that is kept.
    if (trailers.length > 0) this.#stream();
    else this.#resolve({ kind: 'whole', head: this.#head, body: this.#gathered.bytes });
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.#taker !== null) return this.#taker.onFailure(failure);
    this.#end = { kind: 'failed', failure };
    if (!this.#streams) this.#resolve({ kind: 'failed', failure });
  }

  #stream(): void {
    this.#streams = true;
    this.#resolve({ kind: 'stream', head: this.#head, take: (sink) => this.#handOver(sink) });
  }

  #handOver(sink: ResponseSink): Flight | null {
    if (this.#taker !== null) return null;
    this.#taker = sink;
    sink.onResponse(this.#head.status, this.#head.headers, this.#head.statusText);
    const { bytes } = this.#gathered;
    this.#gathered = new GatheredBytes(0);
    const wantsMore = bytes.length === 0 || sink.onData(bytes);
    if (this.#end?.kind === 'complete') sink.onEnd(this.#end.trailers);
    else if (this.#end?.kind === 'failed') sink.onFailure(this.#end.failure);
    else if (wantsMore) this.flight?.resume();
    return this.flight;
  }
}
