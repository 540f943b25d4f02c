/**
 * The pages of keys against a real Postern with a key file, in a real browser; what was saved is asked of the data port.
 * Slow: each page is loaded in a browser, against a process of its own.
 */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t from 'tap';
import { becomes, sendEvent, startBrowser, startConsole } from '../support/console.ts';

const SECRET = 'secret-of-the-key-under-test';
const OFFICE = '203.0.113.7';
const ELSEWHERE = '198.51.100.9';

const key = (more: Record<string, unknown> = {}) => ({ id: 'web', type: 'write-only', secret: SECRET, ...more });
const metricsKey = {
  id: 'metrics',
  type: 'metrics',
  apiKey: 'api-key-of-this-test',
  secret: 'client-secret-of-this-test',
};

const browser = await startBrowser(t);

const section = (page: Page, name: string) => page.getByRole('region', { name });
/** `widens`: a question is asked first. */
const save = async (page: Page, widens = false): Promise<void> => {
  await page.getByRole('button', { name: 'Save' }).click();
  if (widens) await page.getByRole('dialog').getByRole('button', { name: 'Save all the same' }).click();
  await page.getByText('Saved. Requests are judged by it from now on.').waitFor();
};

void t.test('an address that is added may use the key, and one that is removed may not', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [key()] });
  const page = await signedIn(t, '#/keys');
  await page.getByRole('link', { name: 'web' }).click();
  const access = section(page, 'Access control');
  await becomes(t, () => access.getByRole('radio', { name: 'Anywhere' }).isChecked(), true);

  await access.getByRole('radio', { name: 'Specific locations' }).check();
  await access.getByRole('button', { name: 'Add IP address' }).click();
  await becomes(
    t,
    () => access.getByLabel('IP address 1').evaluate((input) => input === input.ownerDocument.activeElement),
    true,
    'it has the focus',
  );
  await access.getByLabel('IP address 1').fill(OFFICE);
  await access.getByLabel('Description 1').fill('Office');
  await save(page);
  t.equal(await sendEvent(postern, SECRET, { ip: OFFICE }), 204);
  t.equal(await sendEvent(postern, SECRET, { ip: ELSEWHERE }), 403);

  await access.getByRole('button', { name: 'Add IP address' }).click();
  await access.getByLabel('IP address 2').fill('198.51.100.0/24');
  await access.getByRole('button', { name: 'Remove' }).first().click();
  await save(page);
  t.equal(await sendEvent(postern, SECRET, { ip: OFFICE }), 403);
  t.equal(await sendEvent(postern, SECRET, { ip: ELSEWHERE }), 204);

  await access.getByRole('radio', { name: 'Anywhere' }).check();
  await save(page, true);
  t.equal(await sendEvent(postern, SECRET, { ip: OFFICE }), 204);
});

void t.test('Remove is red', async (t) => {
  const { signedIn } = await startConsole(t, browser, { keys: [key({ allowFrom: [OFFICE] })] });
  const page = await signedIn(t, '#/key/web');
  await page.getByRole('button', { name: 'Remove' }).focus();
  const colour = await page.evaluate<string>('getComputedStyle(document.activeElement).color');
  const [red = 0, green = 0, blue = 0] = colour.match(/\d+/g)?.map(Number) ?? [];
  t.ok(red > 2 * green && red > 2 * blue, colour);
});

void t.test('a mistake is shown at its field, and what was typed stays', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [key({ allowFrom: [OFFICE] })] });
  const page = await signedIn(t, '#/key/web');
  await page.getByRole('button', { name: 'Add IP address' }).click();
  const address = page.getByLabel('IP address 2');
  await address.fill('203.0.113.010');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Not saved: one field needs another value.').waitFor();
  await becomes(t, () => address.getAttribute('aria-invalid'), 'true');
  await becomes(
    t,
    () => address.evaluate((input) => input === input.ownerDocument.activeElement),
    true,
    'and has the focus',
  );
  const described = (await address.getAttribute('aria-describedby')) ?? '';
  await becomes(t, () => page.locator(`[id="${described}"]`).textContent(), /203\.0\.113\.010/);
  await becomes(t, () => address.inputValue(), '203.0.113.010');
  t.equal(await sendEvent(postern, SECRET, { ip: '203.0.113.10' }), 403, 'nothing was saved');
});

void t.test('events are limited by chips, and by names that are added', async (t) => {
  const other = key({ id: 'other', secret: 'secret-of-the-other-key-here', allowedEvents: ['page_view'] });
  const { postern, signedIn } = await startConsole(t, browser, { keys: [key(), other] });
  const page = await signedIn(t, '#/key/web');
  const events = section(page, 'Allowed profile events');
  await becomes(t, () => events.getByRole('radio', { name: 'All' }).isChecked(), true);
  await events.getByRole('radio', { name: 'Specific Profile Events' }).check();
  await events.getByRole('button', { name: 'page_view', pressed: false }).click();
  await events.getByLabel('Event name').fill('login');
  await events.getByRole('button', { name: 'Add event' }).click();
  await save(page);
  t.equal(await sendEvent(postern, SECRET, { event: 'login' }), 204);
  t.equal(await sendEvent(postern, SECRET, { event: 'page_view' }), 204);
  t.equal(await sendEvent(postern, SECRET, { event: 'purchase' }), 403);

  await events.getByRole('button', { name: 'login', pressed: true }).click();
  await save(page);
  t.equal(await sendEvent(postern, SECRET, { event: 'login' }), 403);

  await events.getByRole('radio', { name: 'All Profile Events' }).check();
  await save(page, true);
  t.equal(await sendEvent(postern, SECRET, { event: 'purchase' }), 204);
});

void t.test('a key is created, and its secret is shown this once', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [key()] });
  const page = await signedIn(t, '#/keys');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('link', { name: 'New key' }).click();
  await page.getByLabel('Id').fill('web');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('There is a key "web" already.').waitFor();
  await page.getByLabel('Id').fill('collector');
  await page.getByRole('button', { name: 'Create key' }).click();
  const secret = await page.getByRole('textbox', { name: 'Secret' }).inputValue();
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied.').waitFor();
  t.equal(await page.evaluate('navigator.clipboard.readText()'), secret);
  t.equal(await sendEvent(postern, secret), 204);

  await page.getByRole('link', { name: 'I have stored it' }).click();
  await page.getByRole('heading', { name: 'collector' }).waitFor();
  t.notMatch(await page.content(), secret);
  t.notMatch(readFileSync(postern.keysFile, 'utf8'), secret, 'and only its hash is kept');
});

void t.test('secrets rotate with an overlap, and an old one is deleted', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [key()] });
  t.equal(await sendEvent(postern, SECRET), 204);
  const page = await signedIn(t, '#/key/web');
  const secrets = section(page, 'Secrets');
  await secrets.getByRole('cell', { name: /seconds? ago|^now/ }).waitFor();
  await secrets.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('button', { name: 'Make a new secret' }).click();
  const made = await secrets.getByLabel('New secret').inputValue();
  t.equal(await sendEvent(postern, made), 204);
  t.equal(await sendEvent(postern, SECRET), 204, 'the old one goes on');
  await secrets.getByRole('button', { name: 'I have stored it' }).click();

  await secrets.getByRole('button', { name: 'Delete' }).first().click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Delete/ })
    .click();
  await secrets.getByText(/is deleted/).waitFor();
  t.equal(await sendEvent(postern, SECRET), 401);
  t.equal(await sendEvent(postern, made), 204);
});

void t.test('a key is disabled, enabled, and deleted after a question that names it', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, {
    keys: [key(), key({ id: 'other', secret: 'secret-of-the-other-key-here' })],
  });
  const page = await signedIn(t, '#/key/web');
  await page.getByRole('button', { name: 'Disable' }).click();
  await page.getByText('The key is disabled.').waitFor();
  t.equal(await sendEvent(postern, SECRET), 401);
  await page.getByRole('button', { name: 'Enable' }).click();
  await page.getByText('The key is enabled.').waitFor();
  t.equal(await sendEvent(postern, SECRET), 204);

  await page.getByRole('button', { name: 'Delete key' }).click();
  await page.getByRole('dialog', { name: 'Delete the key web?' }).waitFor();
  await page.keyboard.press('Escape');
  await becomes(t, () => page.getByRole('dialog').count(), 0, 'Escape takes it back');
  await page.getByRole('button', { name: 'Delete key' }).click();
  await page.getByRole('button', { name: 'Delete web' }).click();
  await page.getByText('The key web is deleted.').waitFor();
  await becomes(t, () => page.getByRole('link', { name: 'web', exact: true }).count(), 0);
  t.equal(await sendEvent(postern, SECRET), 401);
});

void t.test('the cache of the metrics key keeps results for at least 5 minutes', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [metricsKey] });
  const page = await signedIn(t, '#/key/metrics');
  const ttl = page.getByLabel('Cache TTL (minutes)');
  await becomes(t, () => ttl.inputValue(), '5');
  await becomes(t, () => ttl.getAttribute('min'), '5');
  await ttl.fill('4');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('must be at least 5').waitFor();
  await ttl.fill('30');
  await save(page);
  t.match(readFileSync(postern.keysFile, 'utf8'), /cacheTtlMinutes: 30/);
});

void t.test('origins, rate limit, expiry and mode are saved', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [key()] });
  const page = await signedIn(t, '#/key/web');
  await page.getByRole('radio', { name: 'Listed origins' }).check();
  await page.getByRole('button', { name: 'Add origin' }).click();
  await page.getByLabel('Origin 1').fill('https://www.example.com');
  await page.getByLabel('Limit the rate of requests').check();
  await page.getByLabel('Requests', { exact: true }).fill('1');
  await page.getByLabel('Window (seconds)').fill('3600');
  await page.getByLabel('The key expires').check();
  await page.getByLabel('Expires at (UTC)').fill('2099-01-02T03:04:05');
  await save(page);
  t.match(readFileSync(postern.keysFile, 'utf8'), /https:\/\/www\.example\.com/);
  t.match(readFileSync(postern.keysFile, 'utf8'), /2099-01-02T03:04:05Z/);
  t.equal(await sendEvent(postern, SECRET), 204);
  t.equal(await sendEvent(postern, SECRET), 429);
  await page.getByRole('radio', { name: 'Report only' }).check();
  await save(page, true);
  t.equal(await sendEvent(postern, SECRET), 204, 'passed on, and told of');
});

void t.test('keys are filtered and sorted', async (t) => {
  const { signedIn } = await startConsole(t, browser, {
    keys: [key(), key({ id: 'alpha', secret: 'secret-of-the-other-key-here', type: 'read-write' })],
  });
  const page = await signedIn(t, '#/keys');
  const ids = () => page.locator('tbody th a').allTextContents();
  await page.getByRole('link', { name: 'web' }).waitFor();
  await becomes(t, ids, ['alpha', 'web']);
  await page.getByRole('button', { name: 'Key', exact: true }).click();
  await becomes(t, ids, ['web', 'alpha']);
  await page.getByLabel('Type').selectOption('Read & write');
  await becomes(t, ids, ['alpha']);
  await page.getByText('1 warning').waitFor();
  await page.getByLabel('Filter').fill('nothing');
  await page.getByRole('button', { name: 'Show all' }).click();
  await becomes(t, async () => (await ids()).length, 2);
});
