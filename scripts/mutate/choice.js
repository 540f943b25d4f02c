/** Chooses what is mutated, and in which order: the same seed gives the same order, so that a bounded run is a fair sample. */
import { existsSync, readdirSync } from 'node:fs';

/** The console is tested in a browser, and the demo is no part of the sidecar. */
const LEFT_OUT = /^src\/(?:demo|admin\/console)\//;

/** The compiled modules of these source files and folders; of none: of all. */
export function modulesOf(paths) {
  const all = readdirSync('.build/src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .map((file) => `src/${file}`)
    // What was compiled once and has no source any more is nobody's.
    .filter((module) => !LEFT_OUT.test(module) && existsSync(module.replace(/js$/, 'ts')))
    .toSorted();
  if (paths.length === 0) return all;
  const within = (module) =>
    paths.some((path) => module === path.replace(/\.ts$/, '.js') || module.startsWith(`${path}/`));
  return all.filter(within);
}

/** The list in an order of chance that `seed` fixes (mulberry32 and Fisher-Yates). */
export function shuffled(list, seed) {
  const copy = [...list];
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [copy[last], copy[other]] = [copy[other], copy[last]];
  }
  return copy;
}
