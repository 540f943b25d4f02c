/**
 * Leaks that a soak has to notice, each as an edit of one compiled module: what stands there once, and what is put in its place.
 * `tells`: which finding is about it.
 */

const OPENED = "if (passage === null)\n            return refuse(exchange, refusal('not_ready'";

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
    module: 'src/gateway.js',
    find: 'inFlight--;',
    put: 'if (facts.status !== 499) inFlight--;',
  },
  {
    name: 'a gauge of requests in flight that drifts when a client leaves',
    tells: /counted in flight/,
    module: 'src/gateway.js',
    find: 'ports.leave(',
    put: 'if (facts.status !== 499) ports.leave(',
  },
  {
    name: '64 KiB a request',
    tells: /outside the heap/,
    module: 'src/gateway.js',
    find: OPENED,
    put: `(globalThis.leaked ??= []).push(Buffer.alloc(65_536));\n${OPENED}`,
  },
  {
    name: "a listener a request on the client's connection",
    tells: /listeners grew/,
    module: 'src/gateway.js',
    find: OPENED,
    put: `req.socket.setMaxListeners(0).on('timeout', handle);\n${OPENED}`,
  },
  {
    name: 'a listener a request on the process',
    tells: /listeners grew/,
    module: 'src/gateway.js',
    find: OPENED,
    put: `process.setMaxListeners(0).on('leak', handle);\n${OPENED}`,
  },
];

/** What must be called flat. */
export const NO_LEAK = { name: 'no leak', tells: null, module: 'src/gateway.js', find: OPENED, put: OPENED };
