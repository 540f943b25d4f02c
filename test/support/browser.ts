/** A real Chromium, for what only a browser does. */
import { chromium, type Browser } from 'playwright-core';
import type { Test } from 'tap';
import { requireTool } from './tools.ts';

/** Ends with the test. */
export async function startChromium(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: requireTool('chromium', 'chromium'),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  t.teardown(() => browser.close());
  return browser;
}
