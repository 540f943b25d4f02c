/** Typing into the page of a key: nothing that was typed is lost, and what was wrong leads to its field. Slow: in a browser. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t from 'tap';
import { becomes, sendEvent, startBrowser, startConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';

const browser = await startBrowser(t);
const key = (id: string, more: object = {}) => ({ id, type: 'write-only', secret: `secret-of-the-key-${id}`, ...more });
const places = ['203.0.113.7', '203.0.113.8'];
const { postern, signedIn } = await startConsole(t, browser, {
  keys: [
    key('rows', { allowFrom: [...places] }),
    key('events'),
    key('wide', { allowFrom: [...places] }),
    key('both', { allowFrom: [...places] }),
    key('allowed', { allowFrom: [...places] }),
    key('described', { description: 'Of the shop' }),
    key('watched', { mode: 'report', allowFrom: [...places] }),
    { id: 'metrics', type: 'metrics', apiKey: 'api-key-of-this-test', secret: 'client-secret-of-this-test' },
  ],
});

const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true }).click();
const saved = (page: Page) => page.getByText('Saved. Requests are judged by it from now on.').waitFor();
/** Not `waitForFunction`, which the page's own policy forbids to ask twice. */
const hasFocus = (page: Page, text: string) =>
  eventually(
    async () =>
      (await page.evaluate('(document.activeElement.labels?.[0] ?? document.activeElement).textContent')) === text,
    `the focus is on ${text}`,
  );
const addresses = (page: Page) =>
  page
    .getByRole('region', { name: 'Access control' })
    .getByLabel(/^IP address/)
    .evaluateAll((inputs) => inputs.map((input) => (input as unknown as { readonly value: string }).value));

void t.test(
  'many addresses are pasted at once, one that is there already is told, and each Remove says which',
  async (t) => {
    const page = await signedIn(t, '#/key/rows');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Add IP address' }).click();
    await page.evaluate(`navigator.clipboard.writeText('192.0.2.1 Shop\\n203.0.113.8\\n192.0.2.2')`);
    await page.keyboard.press('Control+v');
    await page.getByLabel('IP address 4').waitFor();
    await becomes(t, () => addresses(page), [...places, '192.0.2.1', '192.0.2.2']);
    await becomes(t, () => page.getByLabel('Description 3').inputValue(), 'Shop');
    await page.getByLabel('IP address 4').fill('192.0.2.1');
    await page.getByText('The same address stands in row 3').waitFor();
    await page.getByRole('button', { name: 'Remove 192.0.2.1' }).last().click();
    await becomes(t, () => addresses(page), [...places, '192.0.2.1']);

    await page.getByLabel('IP address 2').fill('1.2.3');
    await page.getByRole('button', { name: 'Add IP address' }).click();
    await page.getByLabel('IP address 4').fill('4.5.6');
    await save(page);
    await page.getByText('Not saved: 2 fields need another value.').waitFor();
    const bar = await page.locator('.save-bar').boundingBox();
    const told = await page.getByText('Not saved: 2 fields need another value.').boundingBox();
    t.ok(told !== null && bar !== null && told.y >= bar.y && told.y < 800, 'said where the button is, in view');
    await hasFocus(page, 'IP address 2');
    await page.getByRole('button', { name: 'Add IP address' }).focus();
    await page.getByRole('button', { name: 'Go to Access control' }).click();
    await hasFocus(page, 'IP address 2');
    await page.getByRole('button', { name: 'Remove 1.2.3' }).click();
    await becomes(
      t,
      () => page.getByLabel('IP address 2').getAttribute('aria-invalid'),
      null,
      'the mistake went with its row',
    );
    await becomes(
      t,
      () => page.getByLabel('IP address 3').getAttribute('aria-invalid'),
      'true',
      'and the other moved up',
    );
    await page.getByLabel('IP address 3').fill('192.0.2.2');
    await save(page);
    await saved(page);
    await hasFocus(page, 'Save');
    await page.getByLabel('Description', { exact: true }).fill('new');
    await becomes(t, () => page.getByText('Saved. Requests').count(), 0, 'nothing stays beside new edits');
  },
);

void t.test('an event that was typed and not added is saved, and no blank one is', async (t) => {
  const page = await signedIn(t, '#/key/events');
  await page.getByRole('radio', { name: 'Specific Profile Events' }).check();
  const name = page.getByLabel('Event name');
  for (const text of [' ', 'login ']) {
    await name.fill(text);
    await page.getByRole('button', { name: 'Add event' }).click();
    await becomes(t, () => name.getAttribute('aria-invalid'), 'true', JSON.stringify(text));
  }
  await name.fill('login');
  await save(page);
  await saved(page);
  t.equal(await sendEvent(postern, 'secret-of-the-key-events', { event: 'login' }), 204);
  t.equal(await sendEvent(postern, 'secret-of-the-key-events', { event: 'other' }), 403);
  await page.getByRole('radio', { name: 'All Profile Events' }).check();
  await page.getByText('What Save will change').waitFor();
  await save(page);
  await page.getByText('It can send every event.').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  t.equal(await sendEvent(postern, 'secret-of-the-key-events', { event: 'other' }), 403, 'a question, and no');
});

void t.test('Anywhere and back keeps the addresses, and letting everybody in is asked about', async (t) => {
  const page = await signedIn(t, '#/key/wide');
  await page.getByRole('radio', { name: 'Anywhere' }).check();
  const changes = page.getByRole('region', { name: 'What Save will change' });
  await becomes(t, () => changes.textContent(), /Access control203\.0\.113\.7, 203\.0\.113\.8 → Anywhere/);
  await save(page);
  await page.getByRole('dialog').getByText('It can be used from anywhere.').waitFor();
  await page.getByRole('button', { name: 'Save all the same' }).click();
  await saved(page);
  t.equal(await sendEvent(postern, 'secret-of-the-key-wide', { ip: '192.0.2.99' }), 204);
  await page.getByRole('radio', { name: 'Specific locations' }).check();
  await becomes(t, () => addresses(page), places);
  await save(page);
  await saved(page);
  t.equal(await sendEvent(postern, 'secret-of-the-key-wide', { ip: '192.0.2.99' }), 403);
});

void t.test('two people add rows to one key, and both are saved; an untouched page follows', async (t) => {
  const [one, other] = await Promise.all([signedIn(t, '#/key/both'), signedIn(t, '#/key/both')]);
  const add = async (page: Page, address: string): Promise<void> => {
    await page.getByRole('button', { name: 'Add IP address' }).click();
    await page.getByLabel('IP address 3').fill(address);
  };
  await add(one, '192.0.2.1');
  await add(other, '192.0.2.2');
  await save(other);
  await saved(other);
  await save(one);
  await one.getByText('Not saved: somebody else changed this key').waitFor();
  await one.getByRole('button', { name: 'Reload and keep my changes' }).click();
  await becomes(t, () => addresses(one), [...places, '192.0.2.2', '192.0.2.1']);
  await save(one);
  await saved(one);
  for (const ip of ['192.0.2.1', '192.0.2.2', ...places])
    t.equal(await sendEvent(postern, 'secret-of-the-key-both', { ip }), 204, ip);
  await other.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
  await other.getByLabel('IP address 4').waitFor();
  await becomes(t, () => addresses(other), [...places, '192.0.2.2', '192.0.2.1']);
});

void t.test('an address of the address bar is filled in, and not saved', async (t) => {
  const page = await signedIn(t, '#/key/allowed?allow=198.51.100.200');
  await page.getByLabel('IP address 3').waitFor();
  await becomes(t, () => addresses(page), [...places, '198.51.100.200']);
  await page.getByText('Unsaved changes.').waitFor();
  t.equal(await sendEvent(postern, 'secret-of-the-key-allowed', { ip: '198.51.100.200' }), 403);
  await save(page);
  await saved(page);
  t.equal(await sendEvent(postern, 'secret-of-the-key-allowed', { ip: '198.51.100.200' }), 204);
});

void t.test('a key in report mode says what enforcing it would have refused', async (t) => {
  for (const ip of ['192.0.2.1', '192.0.2.2', '203.0.113.7'])
    await sendEvent(postern, 'secret-of-the-key-watched', { ip });
  const page = await signedIn(t, '#/key/watched');
  const traffic = page.getByRole('region', { name: /^Traffic since the start at \d\d:\d\d$/ });
  await traffic.getByText('3 requests, 0 refused, 2 would have been refused.').waitFor();
  await becomes(t, () => traffic.getByText('Address Not Allowed').count(), 2);
  await traffic.getByRole('button', { name: 'Enforce: would have refused 2 of 3' }).click();
  await save(page);
  await saved(page);
  t.equal(await sendEvent(postern, 'secret-of-the-key-watched', { ip: '192.0.2.1' }), 403);
});

void t.test('a second metrics key is told at its type', async (t) => {
  const page = await signedIn(t, '#/new-key');
  await page.getByLabel('Id').fill('second');
  await page.getByRole('radio', { name: 'Metrics' }).check();
  await page.getByRole('button', { name: 'Create key' }).click();
  const type = page.getByRole('radiogroup', { name: 'Type' });
  await type.getByText(/metrics is it/).waitFor();
  await becomes(t, () => type.getAttribute('aria-invalid'), 'true');
});

void t.test('no field that gets the focus is covered by the bar', async (t) => {
  const page = await signedIn(t, '#/key/rows');
  await page.getByLabel('Description', { exact: true }).focus();
  for (let step = 0; step < 40; step++) {
    await page.keyboard.press('Tab');
    const covered = await page.evaluate(`(() => {
      const bar = document.querySelector('.save-bar').getBoundingClientRect();
      const at = document.activeElement;
      const box = at.getBoundingClientRect();
      return at.closest('form') !== null && at.closest('.save-bar') === null && box.bottom > bar.top + 1 ? at.outerHTML : null;
    })()`);
    t.equal(covered, null, `step ${step}`);
  }
});

void t.test('the table is searched by address and event, and its filter is in the address', async (t) => {
  const page = await signedIn(t, '#/keys');
  const ids = async () => (await page.locator('tbody th a').allTextContents()).toSorted();
  await page.getByRole('link', { name: 'rows' }).waitFor();
  await page.getByLabel('Filter').fill('192.0.2.2');
  await becomes(t, ids, ['both', 'rows']);
  await page.reload();
  await page.getByRole('link', { name: 'rows' }).waitFor();
  await becomes(t, ids, ['both', 'rows']);
  await page.getByRole('navigation').getByRole('link', { name: 'Keys' }).click();
  await page.locator('tbody th a').nth(2).waitFor();
  await becomes(t, () => page.getByLabel('Filter').inputValue(), '', 'the page itself shows all');
});

void t.test('what is typed outlives a key file that cannot be read for a while', async (t) => {
  const text = readFileSync(postern.keysFile, 'utf8');
  t.teardown(() => writeFileSync(postern.keysFile, text));
  const page = await signedIn(t, '#/key/described');
  const lookAgain = () => page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
  const description = page.getByLabel('Description', { exact: true }).first();
  await becomes(t, () => description.inputValue(), 'Of the shop');
  // As the key in force has it, which has no description.
  await description.fill('');
  writeFileSync(postern.keysFile, 'keys: [\n');
  await eventually(async () => {
    await lookAgain();
    return page.getByText('These are the keys that requests are judged by').isVisible();
  }, 'the key in force');
  writeFileSync(postern.keysFile, text);
  await eventually(async () => {
    await lookAgain();
    return page.getByRole('button', { name: 'Save', exact: true }).isVisible();
  }, 'the form that can be saved');
  await page.getByText('Unsaved changes.').waitFor();
  await becomes(t, () => description.inputValue(), '');
  await save(page);
  await saved(page);
  t.notMatch(readFileSync(postern.keysFile, 'utf8'), /Of the shop/);
});

void t.test('while the key file is broken, the keys in force are shown and cannot be changed', async (t) => {
  const text = readFileSync(postern.keysFile, 'utf8');
  writeFileSync(postern.keysFile, 'keys: [\n');
  t.teardown(() => writeFileSync(postern.keysFile, text));
  const page = await signedIn(t, '#/keys');
  await page.getByText('These are the keys that requests are judged by').waitFor();
  await becomes(t, () => page.getByRole('link', { name: 'New key' }).count(), 0);
  await page.getByRole('link', { name: 'both' }).click();
  await page.getByText('The key file has to be corrected first').waitFor();
  await becomes(t, () => addresses(page), [...places, '192.0.2.2', '192.0.2.1']);
  await becomes(t, () => page.getByRole('button', { name: /^(?:Save|Remove|Rotate|Disable|Delete)/ }).count(), 0);
});
