/**
 * Pages with a vendor's own SDK, in a real Chromium, on origins of their own: before them a Postern with that vendor's preset alone,
 * behind it a backend that records. What a page was told is seen from the browser's side.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { startBackend, type Backend, type RecordedRequest } from './backend.ts';
import { startChromium } from './browser.ts';
import { startPostern, type Postern } from './postern.ts';
import { jsonIn, namesIn, textOf } from './vendor-events.ts';

/** A vendor's client, and how a page drives it. */
export interface VendorClient {
  readonly preset: string;
  /** The SDK as it is published: a file under node_modules. A script, or a module that becomes `SDK`. */
  readonly script?: string;
  readonly module?: string;
  /** Defines `begin(base, key)` and `send(names)`, which resolves when the client was given the events. */
  readonly driver: string;
  /** Said of the API besides its preset. */
  readonly api?: Readonly<Record<string, unknown>>;
  /** What the backend answers to a path, and the page's own origin. */
  readonly answer?: (path: string) => string;
}

/** A page with the client at work. */
export interface VendorPage {
  readonly page: Page;
  /** The status of each answer of Postern that the page could read, in their order. */
  readonly statuses: () => readonly number[];
  /** Resolves when the page has read an answer with this status. */
  readonly told: (status: number) => Promise<void>;
  readonly send: (...names: readonly string[]) => Promise<void>;
  /** Gives the client its last events and goes on to another page at once. */
  readonly leaveWith: (...names: readonly string[]) => Promise<void>;
}

export interface VendorWorld {
  readonly backend: Backend;
  readonly postern: Postern;
  /** Lets time stand still for Postern, or go on. */
  readonly freeze: (frozen: boolean) => void;
  /** The names of all events that reached the backend. */
  readonly names: () => readonly string[];
  /** Resolves when all of these have reached the backend. */
  readonly arrived: (...names: readonly string[]) => Promise<void>;
  /** Goes to a page on the origin that the keys admit, or on another one, as a new visitor, and begins there with the secret. */
  readonly open: (secret: string, place?: 'shop' | 'elsewhere') => Promise<VendorPage>;
}

/** Starts all of it; it ends with the test. `keys`: each gets the pages' origin as its `allowedOrigins`. */
export async function startVendor(
  t: Test,
  client: VendorClient,
  keys: readonly Record<string, unknown>[],
): Promise<VendorWorld> {
  const { preset, api = {}, answer = () => '{}' } = client;
  const backend = await startBackend(t, ({ url }, res) => {
    res.setHeader('content-type', 'application/json').end(answer(new URL(url, 'http://x').pathname));
  });
  const shop = await serveSite(t, client);
  const elsewhere = await serveSite(t, client);
  let frozenAt: number | null = null;
  const postern = await startPostern(t, {
    config: { apis: { integration: { upstream: backend.url, preset, ...api } } },
    keys: keys.map((key) => ({ ...key, allowedOrigins: [shop] })),
    now: () => frozenAt ?? Date.now(),
  });
  const browser = await startChromium(t);
  // One page for all scenes: another one would be another process.
  const page = await browser.newPage();
  const names = (): readonly string[] => backend.requests.flatMap(namesIn);
  return {
    backend,
    postern,
    freeze: (frozen) => {
      frozenAt = frozen ? Date.now() : null;
    },
    names,
    arrived: async (...wanted) => {
      while (!wanted.every((name) => names().includes(name))) await backend.next();
    },
    open: (secret, place = 'shop') => openPage(page, { site: place === 'shop' ? shop : elsewhere, postern, secret }),
  };
}

interface Opening {
  readonly site: string;
  readonly postern: Postern;
  readonly secret: string;
}

/** What the driver of a client defines. */
interface Driven {
  readonly begin: (base: string, key: string) => unknown;
  readonly send: (names: readonly string[]) => unknown;
}

async function openPage(page: Page, { site, postern, secret }: Opening): Promise<VendorPage> {
  page.removeAllListeners();
  // What the scene before left behind belongs to its visitor.
  await page.goto(`${site}/left`);
  await page.context().clearCookies();
  await page.evaluate(() => (globalThis as unknown as { localStorage: { clear(): void } }).localStorage.clear());
  const statuses: number[] = [];
  const waiting = new Map<number, () => void>();
  page.on('response', (response) => {
    if (!response.url().startsWith(postern.url)) return;
    statuses.push(response.status());
    waiting.get(response.status())?.();
  });
  await page.goto(site);
  await page.evaluate(
    async ([base, key]) => (globalThis as unknown as Driven).begin(base as string, key as string),
    [postern.url, secret],
  );
  const send = async (...names: readonly string[]): Promise<void> => {
    await page.evaluate(async (given) => void (await (globalThis as unknown as Driven).send(given)), names);
  };
  return {
    page,
    statuses: () => statuses,
    told: (status) =>
      new Promise((resolve) => {
        if (statuses.includes(status)) resolve();
        else waiting.set(status, resolve);
      }),
    send,
    leaveWith: async (...names) => {
      await page.evaluate((given) => {
        const { send, location } = globalThis as unknown as Driven & { location: { href: string } };
        void send(given);
        location.href = '/left';
      }, names);
      await page.waitForURL('**/left');
    },
  };
}

/** A page with the client, on an origin of its own. */
async function serveSite(t: Test, { script, module, driver, answer = () => '' }: VendorClient): Promise<string> {
  const file = `node_modules/${script ?? module}`;
  const html = `<!doctype html><title>shop</title>${
    script === undefined ? '' : '<script src="/sdk.js"></script>'
  }<script type="module">${module === undefined ? '' : 'import * as SDK from "/sdk.js";'}${driver}
    globalThis.begin = begin; globalThis.send = send;</script>`;
  const server = http.createServer((req, res) => {
    const path = new URL(req.url ?? '', 'http://x').pathname;
    if (path === '/sdk.js')
      return void readFile(file).then((code) => res.setHeader('content-type', 'text/javascript').end(code));
    if (path !== '/' && path !== '/left') return void res.end(answer(path));
    res.setHeader('content-type', 'text/html').end(path === '/left' ? '<title>left</title>' : html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Whether anything of the request holds the text, but for the names of cookies, which the clients make of it. */
export const holds = ({ url, headers, body }: RecordedRequest, text: string): boolean =>
  [url, JSON.stringify({ ...headers, cookie: '' }), textOf(body), JSON.stringify(jsonIn(textOf(body)))].some((part) =>
    part.includes(text),
  );
