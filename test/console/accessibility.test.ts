/**
 * Every page of the console, light and dark, on a phone and on a desk: no violation that axe knows, and nothing wider than
 * the window. With POSTERN_SCREENSHOTS=FOLDER a picture of each is kept there.
 * Slow: axe reads every page, in two colours and two sizes.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { ADMIN_TOKEN, sendEvent, signIn, startBrowser, startConsole } from '../support/console.ts';

/** Evaluated from outside, where the Content-Security-Policy of the page does not hold. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = process.env['POSTERN_SCREENSHOTS'];

const WEB = 'secret-of-the-web-key-in-this-test';
const BACKEND = 'secret-of-the-backend-key-in-this-test';
const TRIAL = 'secret-of-the-trial-key-in-this-test';
const LONG = 'secret-of-the-key-with-a-long-name-here';
/** Almost as long as an id may be. */
const LONG_ID = 'back-end-of-the-warehouse-and-the-shipping-department-in-delft';
const LONG_EVENT = 'checkout_completed_by_a_customer_who_came_from_a_newsletter_v2';

const keys = [
  {
    id: 'web',
    description: 'Browser SDK on www.example.com',
    type: 'write-only',
    secret: WEB,
    allowedEvents: ['page_view', 'login', 'email_verified'],
    allowedOrigins: ['https://www.example.com'],
    rateLimit: { requests: 100, windowSeconds: 1 },
  },
  {
    id: 'backend',
    description: 'Order service',
    type: 'read-write',
    secret: BACKEND,
    allowFrom: [
      { address: '203.0.113.0/24', description: 'Frankfurt' },
      { address: '2001:db8:1::/48', description: 'Office' },
    ],
  },
  { id: 'reporting', description: 'Nightly export', type: 'read-write', secret: 'secret-of-the-reporting-key-here' },
  { id: 'trial', description: 'Old collector', type: 'write-only', secret: TRIAL, mode: 'report', allowFrom: [] },
  { id: 'partner', type: 'write-only', secret: 'secret-of-the-partner-key-in-here', enabled: false },
  {
    id: 'limited',
    policy: 'partners',
    secret: 'secret-of-the-limited-key-in-here',
    denyFrom: ['192.0.2.1', { list: 'office' }],
  },
  { id: LONG_ID, type: 'read-only', secret: LONG, allowFrom: ['203.0.113.128/25'] },
  {
    id: 'metrics',
    description: 'Dashboards',
    type: 'metrics',
    apiKey: 'api-key-of-this-test',
    secret: 'client-secret-of-this-test',
    allowFrom: ['198.51.100.0/24'],
    cacheTtlMinutes: 15,
  },
];

const browser = await startBrowser(t);
const records = {
  policies: {
    partners: {
      type: 'read-only',
      description: 'Those who fetch orders',
      allowFrom: [{ list: 'office' }],
      allowedRoutes: ['GET /profile/:id'],
      rateLimit: { requests: 50, windowSeconds: 1 },
    },
  },
  addressLists: { office: [{ address: '203.0.113.0/28', description: 'Desk' }], spare: [] },
};
const { postern, open } = await startConsole(t, browser, { keys, records, config: { observe: { enabled: true } } });

for (let i = 0; i < 4; i++) {
  await sendEvent(postern, BACKEND, { ip: `198.51.100.${i}` });
  await sendEvent(postern, TRIAL, { ip: '192.0.2.44' });
  await sendEvent(postern, LONG, { ip: `198.51.100.${200 + i}` });
  if (i % 2 === 0) await sendEvent(postern, WEB, { event: LONG_EVENT });
  if (i % 3 === 0) await sendEvent(postern, 'nobody-has-this-secret');
}

const PAGES: readonly (readonly [name: string, fragment: string, ready: (page: Page) => Promise<unknown>])[] = [
  ['overview', '#/', (page) => page.getByText('Why was this refused?').first().click()],
  ['keys', '#/keys', (page) => page.getByText('1 warning').first().waitFor()],
  ['key', '#/key/backend', (page) => page.getByLabel('IP address 2').waitFor()],
  [
    'key-events',
    '#/key/web',
    async (page) => {
      await page.getByRole('button', { name: 'page_view' }).waitFor();
      await page
        .getByRole('region', { name: /^Traffic/ })
        .getByText(LONG_EVENT)
        .waitFor();
    },
  ],
  ['key-metrics', '#/key/metrics', (page) => page.getByLabel('Cache TTL (minutes)').waitFor()],
  [
    'key-finding',
    '#/key/reporting',
    async (page) => {
      await page.getByRole('radio', { name: 'Specific locations' }).check();
      await page.getByRole('button', { name: 'Add IP address' }).click();
      await page.getByLabel('IP address 1').fill('203.0.113.7/24');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Not saved: one field needs another value.').waitFor();
    },
  ],
  [
    'delete',
    '#/key/partner',
    async (page) => {
      await page.getByRole('button', { name: 'Delete key' }).click();
      await page.getByRole('dialog').waitFor();
    },
  ],
  ['policies', '#/policies', (page) => page.getByRole('link', { name: 'partners' }).waitFor()],
  [
    'policy',
    '#/policy/partners',
    async (page) => {
      await page.getByRole('table', { name: 'What this key may do in integration' }).waitFor();
      await page.getByRole('checkbox', { name: 'Denied addresses' }).check();
      await page.getByRole('heading', { name: 'What this change means' }).waitFor();
    },
  ],
  ['lists', '#/lists', (page) => page.getByRole('link', { name: 'office' }).waitFor()],
  ['list', '#/list/office', (page) => page.getByLabel('IP address 1').waitFor()],
  [
    'key-more',
    '#/key/limited',
    (page) => page.getByRole('table', { name: 'What this key may do in integration' }).waitFor(),
  ],
  [
    'history',
    '#/history',
    (page) =>
      page
        .getByRole('link', { name: /^Undo this change/ })
        .first()
        .waitFor(),
  ],
  ['new-key', '#/new-key', (page) => page.getByLabel('Id').waitFor()],
  [
    'explain',
    '#/explain?keyId=backend&ip=198.51.100.1&method=POST&path=/event/ingest',
    (page) => page.getByRole('rowheader', { name: 'client address' }).waitFor(),
  ],
];

// So that the history has something to show, also a line that fills the table.
for (const description of ['Those who fetch orders '.repeat(8).trim(), 'Partners'])
  await fetch(`${postern.adminUrl}/api/policies/partners`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json', 'if-match': '*' },
    body: JSON.stringify({ ...records.policies.partners, description }),
  });

const page = await open(t);
// What one page left unsaved is given up for the next.
page.on('dialog', (dialog) => void dialog.accept());

void t.test('sign-in', async (t) => {
  await page.getByLabel('Admin token').waitFor();
  await inspect(t, 'sign-in');
  await signIn(page);
});

for (const [name, fragment, ready] of PAGES)
  void t.test(name, async (t) => {
    await page.goto('about:blank');
    await page.goto(`${postern.adminUrl}/${fragment}`);
    await ready(page);
    await inspect(t, name);
  });

async function inspect(t: Test, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      const where = `${name}, ${colorScheme}, ${width} px`;
      t.same(await page.evaluate(BROKEN_WORDS), [], `${where}: no short word is broken`);
      t.same(await violations(), [], where);
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `${where}: nothing is cut off`);
      if (pictures !== undefined)
        await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
}

/** Words, numbers and times that stand on two lines although each would fit on one. */
const BROKEN_WORDS = `(() => {
  const broken = [];
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const { parentElement: at } = node;
    if (!at.checkVisibility() || at.closest('.visually-hidden') !== null) continue;
    for (const { 0: word, index } of node.data.matchAll(/[\\p{L}\\p{N}:.,]{2,18}(?!\\S)/gu)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1 && !/\\S/.test(node.data[index - 1] ?? '')) broken.push(word);
    }
  }
  return broken;
})()`;

async function violations(): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe);
  const results = await page.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })');
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}
