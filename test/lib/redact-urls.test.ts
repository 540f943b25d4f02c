import t from 'tap';
import { redactUrl, redactUrls, withoutAllBeforeHost, withoutCredentials } from '../../src/lib/redact-urls.ts';

t.test('credentials and query values of a URL are replaced, the rest stays', async (t) => {
  t.equal(redactUrl('redis://127.0.0.1:6379/0'), 'redis://127.0.0.1:6379/0');
  t.equal(redactUrl('redis://user:pass@redis:6379'), 'redis://***@redis:6379');
  t.equal(redactUrl('rediss://:p@ss/w?rd@redis'), 'rediss://***@redis');
  t.equal(redactUrl('http://host/a?key=secret&b=c#d'), 'http://host/a?key=***&b=***#d');
});

t.test('a URL begins with its scheme and ends with its word', async (t) => {
  t.equal(redactUrls('(x-a+b.1://u:p@h)'), '(x-a+b.1://***@h)');
  t.equal(redactUrls('9http://u:p@h'), '9http://***@h');
  t.equal(redactUrls('9://u:p@h'), '9://u:p@h');
  t.equal(redactUrls('9://u:p@h,http://v:w@h'), '9://u:p@h,http://***@h');
  t.equal(redactUrls('9://://u:p@h,http://v:w@h'), '9://://u:p@h,http://***@h');
  t.equal(redactUrls('9://b://u:p@h'), '9://b://***@h');
  t.equal(redactUrls('a://'), 'a://');
  t.equal(redactUrls('a://u:p@h'), 'a://***@h');
});

t.test('each URL of a text is redacted, text without one is not touched', async (t) => {
  t.equal(
    redactUrls('no answer from "redis://:a@one" nor redis://b:c@two, giving up'),
    'no answer from "redis://***@one" nor redis://***@two, giving up',
  );
  t.equal(redactUrls("at redis://u:it's@one now"), 'at redis://***@one now', 'an apostrophe ends no URL');
  t.equal(redactUrls("'redis://:a@one'"), "'redis://***@one'");
  t.equal(redactUrls('redis://a:b@one redis://c:d@two'), 'redis://***@one redis://***@two');
  t.equal(redactUrls('HTTP://u:p@One'), 'HTTP://***@One');
  t.equal(redactUrls('(REDIS://u:p@h)'), '(REDIS://***@h)');
  t.equal(redactUrls('mail to ops@example.com?x=y'), 'mail to ops@example.com?x=y');
});

t.test('what is no URL has no credentials, unless its form may be wrong', async (t) => {
  t.equal(withoutCredentials('user:pass@host'), 'user:pass@host');
  t.equal(withoutCredentials('a@b//c'), 'a@b//c');
  t.equal(withoutCredentials('//a@b'), '//***@b');
  t.equal(withoutAllBeforeHost('user:pa@ss@host'), '***@host');
  t.equal(withoutAllBeforeHost('redis:/pa\nss@host'), '***@host');
  t.equal(withoutAllBeforeHost('Redis+1://pa/ss@host'), 'Redis+1://***@host');
  t.equal(withoutAllBeforeHost('r://pass@host'), 'r://***@host');
  t.equal(withoutAllBeforeHost('a redis://pass@host'), '***@host', 'a scheme stands at the beginning');
  t.equal(withoutCredentials('redis://@h'), 'redis://***@h');
  t.equal(withoutAllBeforeHost('host'), 'host');
});
