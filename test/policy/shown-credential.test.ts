import t from 'tap';
import { bearerIn, ShownCredential } from '../../src/policy/shown-credential.ts';
import { sha256 } from '../support/passages.ts';

t.test('the digest is that of the bytes on the wire', async (t) => {
  t.equal(new ShownCredential('s3').digest, sha256('s3'));
  const bytes = Buffer.from('gr\u00fc\u00df').toString('latin1');
  t.equal(new ShownCredential(bytes).digest, sha256('gr\u00fc\u00df'));
  t.notMatch(JSON.stringify(Object.keys(new ShownCredential('s3'))), 'digest', 'not made before it is asked for');
});

t.test('what the scheme Bearer shows', async (t) => {
  for (const value of ['Bearer s3', 'bearer   s3', 'BEARER s3']) t.equal(bearerIn(value)?.text, 's3', value);
  t.equal(bearerIn('Bearer a b')?.text, 'a b');
  for (const value of ['Bearer', 'Bearer ', 'Bearers3', 'Bearer\ts3', 'Basic s3', 's3', ''])
    t.equal(bearerIn(value), null, value);
});
