import fc from 'fast-check';
import t from 'tap';
import { LONGEST_SECRET, secretProblem } from '../../src/config/secret-text.ts';
import { secretText } from '../../src/config/values.ts';

t.test('what a text must be to be a secret', async (t) => {
  t.equal(secretProblem('a secret'), null);
  t.equal(secretProblem('x'.repeat(LONGEST_SECRET)), null);
  t.match(secretProblem(''), /empty/);
  t.match(secretProblem('x'.repeat(LONGEST_SECRET + 1)), /longer than 4096/);
  t.match(secretProblem('a secret\n'), /line break/);
  for (const odd of [' a', 'a ', 'a\tb', 'ä', 'a\nb'])
    t.match(secretProblem(odd), /printable ASCII/, JSON.stringify(odd));
});

t.test('the schema says the same of every text', async (t) => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.string().map((one) => `${one}\n`),
  );
  fc.assert(
    fc.property(text, (one) => {
      const checked = secretText.safeParse(one);
      return (checked.success ? null : checked.error.issues[0]?.message) === secretProblem(one);
    }),
  );
  t.equal(secretText.safeParse('').error?.issues[0]?.message, secretProblem(''));
});
