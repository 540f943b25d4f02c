/**
 * The console in a real Chromium: one browser a test file, a new profile for each page, and a page that was opened fails its
 * test on any script error or anything that the Content-Security-Policy held back.
 */
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import type { Test } from 'tap';
import { startBackend, type Backend } from './backend.ts';
import { startChromium } from './browser.ts';
import { startPostern, type Postern } from './postern.ts';

export const ADMIN_TOKEN = 'admin-token-of-this-test';

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

export interface ConsoleUnderTest {
  readonly postern: Postern;
  readonly backend: Backend;
  /** Opens a page of the console in a profile of its own. */
  readonly open: (t: Test, fragment?: string, options?: PageOptions) => Promise<Page>;
  /** The same, and signs in. */
  readonly signedIn: (t: Test, fragment?: string, options?: PageOptions) => Promise<Page>;
}

/** A browser that ends with the test. */
export async function startBrowser(t: Test): Promise<Browser> {
  if (!existsSync('dist/console/index.html')) throw new Error('The console is not built: npm run build:console');
  return startChromium(t);
}

export interface ConsoleOptions {
  readonly keys: readonly Record<string, unknown>[];
  /** Merged over a configuration with both APIs, an admin token and loopback as a trusted proxy. */
  readonly config?: Record<string, unknown>;
  /** `policies` and `addressLists` of the key file. */
  readonly records?: Record<string, unknown>;
}

/** Postern with its console on, in front of a backend. Callers may say where they come from in X-Forwarded-For. */
export async function startConsole(
  t: Test,
  browser: Browser,
  { keys, config, records = {} }: ConsoleOptions,
): Promise<ConsoleUnderTest> {
  const backend = await startBackend(t);
  const postern = await startPostern(t, {
    config: {
      listen: { trustedProxies: ['127.0.0.1'] },
      admin: { token: ADMIN_TOKEN },
      apis: {
        integration: { upstream: backend.url, preset: 'userflux' },
        metrics: { upstream: backend.url, preset: 'userflux' },
      },
      ...config,
    },
    keys,
    records,
  });
  const open: ConsoleUnderTest['open'] = async (t, fragment = '', { colorScheme = 'light', width = 1280 } = {}) => {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: 800 },
      reducedMotion: 'reduce',
    });
    const problems: string[] = [];
    const page = await context.newPage();
    // A guard against hanging, as that of `eventually`: no promise of the page's.
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) problems.push(message.text());
    });
    t.teardown(async () => {
      await context.close();
      if (problems.length > 0) throw new Error(problems.join('\n'));
    });
    await page.goto(`${postern.adminUrl}/${fragment}`);
    return page;
  };
  const signedIn: ConsoleUnderTest['signedIn'] = async (t, fragment, options) => {
    const page = await open(t, fragment, options);
    await signIn(page);
    return page;
  };
  return { postern, backend, open, signedIn };
}

export async function signIn(page: Page, token = ADMIN_TOKEN): Promise<void> {
  await page.getByLabel('Admin token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation').waitFor();
}

/** How long a page may take to draw what it knows: a guard, far beyond what a busy machine needs. */
const DRAWN_MS = 30_000;

/** Asserts what is read of a page, or matches, once it is so: a page draws when it can, and a moment after a click it shows what was. */
export async function becomes<T>(
  t: Test,
  read: () => Promise<T>,
  wanted: T | RegExp,
  message = String(wanted),
): Promise<void> {
  const until = performance.now() + DRAWN_MS;
  const isWanted = (found: T): boolean =>
    wanted instanceof RegExp ? wanted.test(String(found)) : isDeepStrictEqual(found, wanted);
  let found = await read();
  while (!isWanted(found) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    found = await read();
  }
  if (wanted instanceof RegExp) t.match(found, wanted, message);
  else t.same(found, wanted, message);
}

/** The status that a caller gets who sends an event with this secret from this address. */
export async function sendEvent(
  { url }: Pick<Postern, 'url'>,
  secret: string,
  { ip = '203.0.113.7', event = 'login' }: { readonly ip?: string; readonly event?: string } = {},
): Promise<number> {
  const response = await fetch(`${url}/event/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'x-forwarded-for': ip },
    body: JSON.stringify({ name: event, timestamp: 1, userId: 'u', properties: {} }),
  });
  await response.arrayBuffer();
  return response.status;
}
