/**
 * A person's way from what was observed to a stricter key: look, choose, take over, see what it would have refused, save.
 * Slow: each page is loaded in a browser, against a process of its own.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { sendRaw } from '../support/raw-http.ts';
import { written } from '../support/flow.ts';
import { becomes, startBrowser, startConsole } from '../support/console.ts';

const SECRET = 'secret-of-the-key-under-test';
const KEY = { id: 'app', type: 'read-write', secret: SECRET };

const browser = await startBrowser(t);

void t.test(
  'what was seen is shown, taken over into the form, judged before it is saved, and in force after',
  async (t) => {
    const { postern, signedIn } = await startConsole(t, browser, {
      keys: [KEY],
      config: { observe: { enabled: true } },
    });
    const ask = async (address: string, target = '/profile/u1', method = 'GET', body?: string): Promise<number> =>
      (
        await sendRaw(
          postern.port,
          written({
            method,
            target,
            secret: SECRET,
            fields: [`X-Forwarded-For: ${address}`, 'Connection: close', 'Content-Type: application/json'],
            ...(body === undefined ? {} : { body }),
          }),
          { untilClose: true },
        )
      ).status;
    for (let i = 0; i < 3; i++) await ask('203.0.113.7');
    await ask('203.0.113.8');
    await ask('203.0.113.8', '/event/ingest', 'POST', '{"name":"<img src=x onerror=alert(1)>"}');

    const page = await signedIn(t, '#/key/app');
    const suggested = page.getByRole('region', { name: 'Suggested from traffic' });
    await suggested.getByText('Only 5 good requests were observed').waitFor();
    const row = suggested.getByRole('row').filter({ hasText: '203.0.113.7' });
    await becomes(t, () => row.getByRole('cell').first().textContent(), '3');
    await becomes(
      t,
      () => suggested.getByText('<img src=x onerror=alert(1)>').isVisible(),
      true,
      'the text of a client is text',
    );

    await suggested.getByRole('checkbox', { name: '203.0.113.8' }).uncheck();
    await suggested.getByRole('button', { name: 'Take over' }).click();
    await page.getByText('Of the 5 good requests observed, this change would have refused:').waitFor();
    const refused = page.getByRole('row').filter({ hasText: 'Address Not Allowed' });
    await becomes(t, () => refused.textContent(), /203\.0\.113\.8.*2/);
    t.equal(await ask('203.0.113.8'), 204, 'nothing changes before it is saved');

    await suggested.getByRole('checkbox', { name: '203.0.113.8' }).check();
    await suggested.getByRole('button', { name: 'Take over' }).click();
    await page.getByText('this change would have refused none').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved. Requests are judged by it from now on.').waitFor();
    t.equal(await ask('203.0.113.8'), 204);
    t.equal(await ask('203.0.113.9'), 403);
    t.equal(await ask('203.0.113.7', '/profile/u1/more'), 403);
  },
);

void t.test('the page of an API: what is called, by whom, and what no route lists', async (t) => {
  const { postern, signedIn } = await startConsole(t, browser, {
    keys: [KEY],
    config: { observe: { enabled: true } },
  });
  await sendRaw(
    postern.port,
    written({ method: 'GET', target: '/not/listed/42', secret: SECRET, fields: ['Connection: close'] }),
    { untilClose: true },
  );
  const page = await signedIn(t, '#/');
  await page.getByRole('link', { name: 'APIs' }).click();
  const row = page.getByRole('row').filter({ hasText: '/not/listed/:id' });
  await row.waitFor();
  await becomes(t, () => row.textContent(), /GET \/not\/listed\/:id.*Not listed.*1.*0/);
  await row.getByRole('link', { name: 'app' }).click();
  await page.getByRole('heading', { name: 'app' }).waitFor();

  const suggested = page.getByRole('region', { name: 'Suggested from traffic' });
  const narrower = suggested.getByRole('checkbox', { name: 'What it did needs no more than the type Read-only.' });
  await narrower.uncheck();
  await suggested.getByRole('button', { name: 'Take over' }).click();
  await becomes(t, () => page.getByText('until now Read & write').count(), 0, 'a type that is not chosen stays');
  await narrower.check();
  await suggested.getByRole('button', { name: 'Take over' }).click();
  await page.getByText('Type: Read-only, until now Read & write').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved. Requests are judged by it from now on.').waitFor();
  t.match(readFileSync(postern.keysFile, 'utf8'), /type: read-only/);
});

void t.test('where nothing is observed, the page says how to begin', async (t) => {
  const { signedIn } = await startConsole(t, browser, { keys: [KEY] });
  const page = await signedIn(t, '#/key/app');
  const suggested = page.getByRole('region', { name: 'Suggested from traffic' });
  await suggested.getByText('observe.enabled').waitFor();
  await becomes(t, () => suggested.getByRole('button').count(), 0);
});
