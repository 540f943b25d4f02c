import t from 'tap';
import { takeSignals, type SignalHandlers } from '../src/signals.ts';

function taken() {
  const listeners = new Map<NodeJS.Signals, () => void>();
  const exits: number[] = [];
  const signals = takeSignals(
    (signal, listener) => void listeners.set(signal, listener),
    (code) => void exits.push(code),
  );
  const told: string[] = [];
  const handlers: SignalHandlers = {
    onEnd: (signal) => told.push(`end ${signal}`),
    onEndAgain: (signal) => told.push(`again ${signal}`),
    onReload: () => told.push('reload'),
    onUnused: (signal) => told.push(`unused ${signal}`),
  };
  return { signals, exits, told, handlers, send: (signal: NodeJS.Signals) => listeners.get(signal)?.(), listeners };
}

t.test('before anything is open, a signal that ends, ends the process at once', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    const { send, exits } = taken();
    send(signal);
    t.same(exits, [0], signal);
  }
});

t.test('one that asks for a reload is remembered, however often it came', async (t) => {
  const { signals, send, exits, told, handlers } = taken();
  send('SIGHUP');
  send('SIGHUP');
  send('SIGUSR1');
  t.same(exits, []);
  signals.handOver(handlers);
  t.same(told, ['reload']);
  send('SIGHUP');
  t.same(told, ['reload', 'reload']);
});

t.test('the end is asked for once', async (t) => {
  const { signals, send, exits, told, handlers } = taken();
  signals.handOver(handlers);
  for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT', 'SIGINT', 'SIGQUIT'] as const) send(signal);
  t.same(told, ['end SIGTERM', 'again SIGTERM', 'again SIGINT', 'again SIGINT', 'again SIGQUIT']);
  t.same(exits, []);
});

t.test('signals of other servers do nothing', async (t) => {
  const { signals, send, exits, told, handlers } = taken();
  signals.handOver(handlers);
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGXFSZ'] as const) send(signal);
  t.same(told, ['unused SIGUSR1', 'unused SIGUSR2', 'unused SIGXFSZ']);
  t.same(exits, []);
});
