/**
 * Leaks that a soak has to notice, each as an edit of one compiled module: what stands there once, and what is put in its place.
 * `tells`: which finding is about it.
 */

const OPENED = 'connection.open = exchange;';

export const LEAKS = [
  {
    name: 'a rate log that never shrinks',
    tells: /elements of long arrays grew/,
    module: 'src/rate-store/sliding-log.js',
    find: 'if (this.#head > 32 && this.#head * 2 > this.#times.length)',
    put: 'if (false)',
  },
  {
    name: 'pools that are not closed at a reload',
    tells: /connections of replaced pools/,
    module: 'src/current-rules.js',
    find: 'void upstream.close();',
    put: ';',
  },
  {
    name: 'a limit of requests in flight that drifts when a client leaves',
    tells: /requests could be under way/,
    module: 'src/request/ending.js',
    find: 'ports.inFlight.leave(',
    put: 'if (facts.status !== 499) ports.inFlight.leave(',
  },
  {
    name: 'a gauge of requests in flight that drifts when a client leaves',
    tells: /counted in flight/,
    module: 'src/request/ending.js',
    find: 'ports.leave(',
    put: 'if (facts.status !== 499) ports.leave(',
  },
  {
    name: '64 KiB a request',
    tells: /outside the heap/,
    module: 'src/request/gateway.js',
    find: OPENED,
    put: `(globalThis.leaked ??= []).push(Buffer.alloc(65_536));\n${OPENED}`,
  },
  {
    name: "a listener a request on the client's connection",
    tells: /listeners grew/,
    module: 'src/request/gateway.js',
    find: OPENED,
    put: `req.socket.setMaxListeners(0).on('timeout', () => exchange);\n${OPENED}`,
  },
  {
    name: 'a listener a request on the process',
    tells: /listeners grew/,
    module: 'src/request/gateway.js',
    find: OPENED,
    put: `process.setMaxListeners(0).on('leak', () => exchange);\n${OPENED}`,
  },
];

/** What must be called flat. */
export const NO_LEAK = { name: 'no leak', tells: null, module: 'src/request/gateway.js', find: OPENED, put: OPENED };
