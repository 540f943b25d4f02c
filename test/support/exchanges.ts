/** Exchanges over a real connection: a bare server that hands over each request as an exchange. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { openExchange, type Exchange } from '../../src/data-port/exchange.ts';
import { readFacts } from '../../src/data-port/read-facts.ts';
import type { Passage } from '../../src/policy/pipeline.ts';
import { NOON } from './outcomes.ts';

interface Disposer {
  readonly teardown: (dispose: () => unknown) => void;
}

export async function serveExchanges(
  t: Disposer,
  handle: (exchange: Exchange) => void,
  passage: Passage | null = null,
): Promise<{ readonly port: number; readonly server: http.Server }> {
  const listener: http.RequestListener = (req, res) =>
    handle(
      openExchange({
        req,
        res,
        facts: readFacts(req, NOON),
        requestId: 'id-1',
        startedAt: 0,
        passage,
        awaitsContinue: false,
      }),
    );
  const server = http.createServer({ requireHostHeader: false }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

/** An exchange without a connection, for what only reads it. */
export function exchangeWith(passage: Passage, change: Partial<Exchange> = {}): Exchange {
  const nothing = {} as never;
  return {
    ...{
      req: nothing,
      res: nothing,
      facts: passage.facts,
      requestId: 'id-1',
      startedAt: 1000,
      passage,
      awaitsContinue: false,
    },
    ...{ body: 'none', bodyChanged: false, forwardedEvents: 0, removedEvents: 0, rejectedEvents: 0 },
    ...{ cache: null, seat: null, refusal: null, settled: false, abort: null },
    ...change,
  };
}
