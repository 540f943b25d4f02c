import t from 'tap';
import { redactUrl, redactUrls } from '../../src/observability/redact.ts';

t.test('credentials and query values of a URL are replaced, the rest stays', async (t) => {
  t.equal(redactUrl('redis://127.0.0.1:6379/0'), 'redis://127.0.0.1:6379/0');
  t.equal(redactUrl('redis://user:pass@redis:6379'), 'redis://***@redis:6379');
  t.equal(redactUrl('rediss://:p@ss/w?rd@redis'), 'rediss://***@redis');
  t.equal(redactUrl('http://host/a?key=secret&b=c#d'), 'http://host/a?key=***&b=***#d');
});

t.test('each URL of a text is redacted, text without one is not touched', async (t) => {
  t.equal(
    redactUrls('no answer from "redis://:a@one" nor redis://b:c@two, giving up'),
    'no answer from "redis://***@one" nor redis://***@two, giving up',
  );
  t.equal(redactUrls('mail to ops@example.com?x=y'), 'mail to ops@example.com?x=y');
});
