/**
 * Loaded into a Postern under soak before anything else (`node --expose-gc --import=...`). When asked over IPC it collects
 * garbage and counts what is left alive. It changes nothing that Postern does, and holds nothing alive itself.
 */
import { EventEmitter } from 'node:events';
import { queryObjects } from 'node:v8';

type Constructor = Function;

const collect = (globalThis as unknown as { readonly gc: () => void }).gc;

const COLLECTIONS = 2;
/** In bytes, twice what a Postern has at rest. To walk more takes minutes, and its size alone says that it leaks. */
const LARGEST_WALKED = 100 * 1024 * 1024;

const emitters = new Set<WeakRef<EventEmitter>>();
rememberEmitters();
process.on('message', (question) => {
  if (question === 'count') void count().then((counts) => process.send?.(counts));
});
process.channel?.unref();

/** Every emitter that has listened is known, so that its listeners can be counted as long as it lives. */
function rememberEmitters(): void {
  const known = new WeakSet<EventEmitter>();
  for (const method of ['on', 'addListener', 'prependListener'] as const) {
    const add = Object.getOwnPropertyDescriptor(EventEmitter.prototype, method)?.value as EventEmitter['on'];
    EventEmitter.prototype[method] = function (this: EventEmitter, event: string | symbol, listener: () => void) {
      if (!known.has(this)) {
        known.add(this);
        emitters.add(new WeakRef(this));
      }
      return add.call(this, event, listener);
    };
  }
}

async function count(): Promise<Record<string, number>> {
  for (let round = 0; round < COLLECTIONS; round++) {
    collect();
    // Finalizers, and references that a turn holds, end with it.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const listeners = countListeners();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const counts: Record<string, number> = {
    'heap (KB)': Math.round(heapUsed / 1024),
    'memory outside the heap (KB)': Math.round((external + arrayBuffers) / 1024),
    listeners,
  };
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  if (heapUsed > LARGEST_WALKED) return counts;
  // Each of these walks the whole heap: what they leave out shows in its size.
  counts['functions'] = queryObjects(Function, { format: 'count' });
  counts['emitters'] = queryObjects(EventEmitter, { format: 'count' });
  const [maps, sets, arrays] = [summaries(Map), summaries(Set), summaries(Array)];
  counts['maps and sets'] = maps.length + sets.length;
  counts['entries of maps and sets'] = entries(maps) + entries(sets);
  counts['arrays'] = arrays.length;
  counts['elements of long arrays'] = longElements(arrays);
  return counts;
}

function countListeners(): number {
  let listeners = 0;
  for (const reference of emitters) {
    const emitter = reference.deref();
    if (emitter === undefined) emitters.delete(reference);
    else for (const event of emitter.eventNames()) listeners += emitter.listenerCount(event);
  }
  return listeners;
}

const summaries = (constructor: Constructor): string[] => queryObjects(constructor, { format: 'summary' });

/** The sizes of maps or sets, which begin as `Map(12) {`. */
const entries = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + Number(/^\w*\((\d+)\)/.exec(text)?.[1] ?? 0), 0);

/** What arrays hold beyond their first hundred elements: `[ 1, 2, ... 23 more items ]`. */
const longElements = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + Number(/(\d+) more items?\s*\]$/.exec(text)?.[1] ?? 0), 0);
