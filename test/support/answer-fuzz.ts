/**
 * Holds the reader of answers against Node's own parser: whatever bytes a backend sends, and wherever they are cut, the reader
 * refuses them or reads what `http.request` reads: status, fields, content, trailers, and whether the connection may be used again.
 */
import * as fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { AnswerReader } from '../../src/upstream/wire/answer-reader.ts';
import { answerCase, cut, type AnswerCase, type Reading } from './generated-answers.ts';
import { readByNode } from './node-reads.ts';

/** How many were refused, were not whole, or were read as Node reads them, and how many of these left a connection to use again. */
export interface AnswerFuzzResult {
  readonly cases: number;
  readonly refused: number;
  readonly unfinished: number;
  readonly alike: number;
  readonly reusable: number;
}

/** Runs the fuzz; throws with the smallest counterexample. The same seed gives the same cases. */
export async function runAnswerFuzz({ cases, seed }: { cases: number; seed: number }): Promise<AnswerFuzzResult> {
  const counts = { refused: 0, unfinished: 0, alike: 0, reusable: 0 };
  await fc.assert(
    fc.asyncProperty(answerCase, async (answer) => {
      const read = readHere(answer);
      if (typeof read === 'string') {
        counts[read] += 1;
        return;
      }
      await compare(answer, read).catch((error: unknown) => {
        throw new Error(`${JSON.stringify(answer.bytes.toString('latin1'))}: ${(error as Error).message}`);
      });
      counts.alike += 1;
      if (read.reusable) counts.reusable += 1;
    }),
    { numRuns: cases, seed },
  );
  return { cases, ...counts };
}

/** Node is given the answer without what follows it: how it complains of that is no matter. */
async function compare(answer: AnswerCase, read: Reading): Promise<void> {
  const length = lengthOf(answer);
  const alone = { ...answer, bytes: answer.bytes.subarray(0, length) };
  const isFollowed = length < answer.bytes.length;
  if (isFollowed && read.reusable) throw new Error('a connection with bytes behind the answer would be used again');
  const ours = isFollowed ? readHere(alone) : read;
  const nodes = await readByNode(alone);
  if (typeof ours === 'string' || nodes === null) throw new Error(`${show(ours)} where Node reads ${show(nodes)}`);
  // Where they differ, this side must be the one that is careful.
  const careful = { ...nodes, reusable: nodes.reusable && ours.reusable };
  if (!isDeepStrictEqual(ours, careful)) throw new Error(`${show(ours)} where Node reads ${show(nodes)}`);
  if (nodes.reusable && !ours.reusable && !mayBeCareful(answer, ours))
    throw new Error(`Node would use the connection again after ${show(ours)}`);
}

/** After HEAD, or content where there must be none: some backend sends it. Options of the connection that are none. */
function mayBeCareful({ method, bytes }: AnswerCase, { status, headers }: Reading): boolean {
  const values = (name: RegExp): string[] =>
    headers.filter((_, i) => i % 2 === 1 && name.test(headers[i - 1] as string));
  const declares = values(/^(content-length|transfer-encoding)$/i).some((value) => value !== '0');
  if (method === 'HEAD' || (declares && (status === 204 || status === 304))) return true;
  const plain = /^[a-z0-9-]+(?: *, *[a-z0-9-]+)*$/i;
  if (/\nconnection:[^\r]*\t|\nproxy-connection:[^\r]*\t/i.test(bytes.toString('latin1'))) return true;
  return values(/^(proxy-)?connection$/i).some((value) => !plain.test(value) || /close/i.test(value));
}

/** What the reader makes of it. A switch of protocols is refused by whoever is told of it. */
export function readHere({ method, bytes, cuts, ends }: AnswerCase): Reading | 'refused' | 'unfinished' {
  const read = { status: 0, reason: '', headers: [] as readonly string[], body: '', trailers: [] as readonly string[] };
  let result: Reading | 'refused' | 'unfinished' = 'unfinished';
  const reader = new AnswerReader({
    onInterim: (status) => {
      if (status !== 101) return;
      result = 'refused';
      reader.stop();
    },
    onHead: ({ status, reason, headers }) => Object.assign(read, { status, reason, headers }),
    onContent: (piece) => (read.body += piece.toString('latin1')),
    onAnswerEnd: (trailers, reusable) => (result = { ...read, trailers, reusable: reusable && !ends }),
    onFlaw: () => (result = 'refused'),
  });
  reader.expect(method);
  for (const piece of cut(bytes, cuts)) {
    // What the connection refuses, as bytes that nobody asked for.
    if (reader.isIdle) return typeof result === 'string' ? result : { ...(result as Reading), reusable: false };
    reader.read(Buffer.from(piece));
  }
  if (ends && !reader.isIdle) reader.endOfConnection();
  return result;
}

/** How many bytes the answer has. */
function lengthOf({ method, bytes }: AnswerCase): number {
  const ignore = (): void => undefined;
  const reader = new AnswerReader({
    onInterim: ignore,
    onHead: ignore,
    onContent: ignore,
    onAnswerEnd: ignore,
    onFlaw: ignore,
  });
  reader.expect(method);
  let length = 0;
  while (!reader.isIdle && length < bytes.length) reader.read(Buffer.from(bytes.subarray(length, (length += 1))));
  return length;
}

const show = (reading: Reading | string | null): string => JSON.stringify(reading);
