/**
 * Editing a key when all is not as usual: two people at once, a read-only file, keys in Redis, the keyboard alone.
 * Slow: each page is loaded in a browser, against a process of its own.
 */
import { chmodSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t from 'tap';
import { becomes, sendEvent, startBrowser, startConsole } from '../support/console.ts';
import { changeKeys, definitionOf } from '../support/redis-keys.ts';
import { startRedis } from '../support/redis.ts';

const SECRET = 'secret-of-the-key-under-test';
const web = { id: 'web', type: 'write-only', secret: SECRET };

const browser = await startBrowser(t);

const save = (page: Page) => page.getByRole('button', { name: 'Save' }).click();
const saved = (page: Page) => page.getByText('Saved. Requests are judged by it').waitFor();

void t.test('two people edit one key, and neither loses anything', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [web] });
  const [one, other] = await Promise.all([signedIn(t, '#/key/web'), signedIn(t, '#/key/web')]);
  const description = (page: Page) => page.getByLabel('Description', { exact: true });
  await description(other).fill('theirs');
  await other.getByRole('radio', { name: 'Specific locations' }).check();
  await other.getByRole('button', { name: 'Add IP address' }).click();
  await other.getByLabel('IP address 1').fill('203.0.113.7');
  await description(one).fill('mine');
  await save(other);
  await saved(other);

  await save(one);
  await one.getByText('Not saved: somebody else changed this key').waitFor();
  await one.getByText('Now stored: 203.0.113.7').waitFor();
  await one.getByText('You changed this too').waitFor();
  await becomes(t, () => description(one).inputValue(), 'mine', 'what was typed is still there');
  await one.getByRole('button', { name: 'Reload and keep my changes' }).click();
  await becomes(t, () => one.getByLabel('IP address 1').inputValue(), '203.0.113.7');
  await becomes(t, () => description(one).inputValue(), 'mine');
  await save(one);
  await saved(one);
  t.equal(await sendEvent(postern, SECRET, { ip: '198.51.100.9' }), 403, 'their change holds');

  await description(other).fill('again');
  await save(other);
  await other.getByRole('button', { name: 'Reload and discard mine' }).click();
  await becomes(t, () => description(other).inputValue(), 'mine');
});

void t.test('a key that is deleted meanwhile is told of', async (t) => {
  const { signedIn } = await startConsole(t, browser, {
    keys: [web, { ...web, id: 'other', secret: 'secret-of-the-other-key-here' }],
  });
  const [one, other] = await Promise.all([signedIn(t, '#/key/web'), signedIn(t, '#/key/web')]);
  await one.getByLabel('Description', { exact: true }).fill('mine');
  await other.getByRole('button', { name: 'Delete key' }).click();
  await other.getByRole('button', { name: 'Delete web' }).click();
  await other.getByText('The key web is deleted.').waitFor();
  await save(one);
  await one.getByText('Not saved: somebody deleted this key meanwhile.').waitFor();
  await becomes(t, () => one.getByLabel('Description', { exact: true }).inputValue(), 'mine');
});

void t.test('what is unsaved is not left without a question', async (t) => {
  const { signedIn } = await startConsole(t, browser, { keys: [web] });
  const page = await signedIn(t, '#/key/web');
  await page.getByLabel('Description', { exact: true }).fill('mine');
  page.once('dialog', (dialog) => void dialog.dismiss());
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.waitForURL(/#\/key\/web$/);
  await becomes(t, () => page.getByLabel('Description', { exact: true }).inputValue(), 'mine');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
});

void t.test('a read-only file shows everything, says why, and offers no change', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [{ ...web, allowFrom: ['203.0.113.7'] }] });
  chmodSync(postern.keysFile, 0o444);
  const page = await signedIn(t, '#/keys');
  await page.getByText('the key file is read-only').waitFor();
  await becomes(t, () => page.getByRole('link', { name: 'New key' }).count(), 0);
  await page.getByRole('link', { name: 'web', exact: true }).click();
  await page.getByText('the key file is read-only').waitFor();
  await becomes(t, () => page.getByLabel('IP address 1').inputValue(), '203.0.113.7');
  t.equal(await page.getByLabel('IP address 1').isEditable(), false);
  await becomes(t, () => page.getByRole('radio', { name: 'Anywhere' }).isDisabled(), true);
  const buttons = await page.getByRole('main').getByRole('button').allTextContents();
  t.same(buttons, []);
});

void t.test('with keys in Redis, an address that is added may use the key', async (t) => {
  const redis = await startRedis(t);
  await changeKeys(redis.admin, { set: { backend: definitionOf('backend', { allowFrom: [] }) } });
  const { postern, signedIn } = await startConsole(t, browser, {
    keys: [],
    config: { keys: { source: 'redis' }, redis: { url: redis.url } },
  });
  t.equal(await sendEvent(postern, 'secret-of-backend'), 403);
  const page = await signedIn(t);
  await page.getByText('Redis: up').waitFor();
  await page.getByRole('link', { name: 'Keys', exact: true }).first().click();
  await page.getByRole('link', { name: 'backend' }).click();
  await page.getByText('No address is listed: nobody may use this key.').waitFor();
  await page.getByRole('button', { name: 'Add IP address' }).click();
  await page.getByLabel('IP address 1').fill('203.0.113.7');
  await save(page);
  await saved(page);
  t.equal(await sendEvent(postern, 'secret-of-backend'), 204);
  t.match(await redis.admin.hget('postern:keys', 'backend'), /203\.0\.113\.7/);
});

void t.test('the keyboard alone is enough', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, { keys: [web] });
  const page = await signedIn(t, '#/key/web');
  const tabTo = async (name: string): Promise<void> => {
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('(document.activeElement.labels?.[0] ?? document.activeElement).textContent')) === name)
        return;
    }
    t.fail(`${name} is not reached`);
  };
  await page.getByRole('radio', { name: 'Anywhere' }).waitFor();
  await tabTo('Anywhere');
  await page.keyboard.press('ArrowDown');
  await tabTo('Add IP address');
  await page.keyboard.press('Enter');
  await page.keyboard.type('203.0.113.7');
  await tabTo('Remove');
  await tabTo('Save');
  await page.keyboard.press('Enter');
  await saved(page);
  t.equal(await sendEvent(postern, SECRET, { ip: '198.51.100.9' }), 403);
  t.equal(await sendEvent(postern, SECRET, { ip: '203.0.113.7' }), 204);
});
