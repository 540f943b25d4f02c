/**
 * How the backend is asked for a request: directly, or as a part of its trace, where there are traces. Sends nothing itself.
 */
import { dispatch, type Dispatch } from '../upstream/dispatch.ts';
import type { Exchange } from './exchange.ts';
import { pathToWrite } from './written-path.ts';

export function dispatchFor(exchange: Exchange): Dispatch {
  const { trace } = exchange;
  return trace === null ? dispatch : trace.dispatchBy(dispatch, pathToWrite(exchange));
}
