import t from 'tap';
import {
  fieldName,
  formatErrors,
  formatProblem,
  hasErrors,
  inReadingOrder,
  type Problem,
} from '../../src/config/problem.ts';

const problem = (file: string, line: number, column: number, severity: Problem['severity'] = 'error'): Problem => ({
  file,
  line,
  column,
  severity,
  message: 'x is wrong.',
  field: 'x',
});

t.equal(formatProblem(problem('a.yaml', 3, 7)), 'a.yaml:3:7 error x is wrong.');
t.equal(fieldName(['keys', 0, 'secrets', 1, 'value']), 'keys[0].secrets[1].value');
t.equal(fieldName([]), '');
t.same(formatErrors([problem('a', 1, 1, 'warning'), problem('b', 2, 3)]), ['b:2:3 error x is wrong.']);

t.equal(hasErrors([problem('a', 1, 1, 'warning')]), false);
t.equal(hasErrors([problem('a', 1, 1, 'warning'), problem('a', 1, 1)]), true);
t.same(
  inReadingOrder([problem('b', 2, 1), problem('a', 1, 1), problem('b', 1, 9), problem('b', 1, 2)]).map(
    ({ file, line, column }) => `${file}:${line}:${column}`,
  ),
  ['b:1:2', 'b:1:9', 'b:2:1', 'a:1:1'],
);

t.test('a problem is one line, whatever a name in the file holds', async (t) => {
  const forged = problem('k.yaml', 1, 1);
  const message = `a\nk.yaml:9:9 error forged\u001b[2K\u0085\u2028\u202e\u{e0001} is not a known field.`;
  const line = formatProblem({ ...forged, message });
  t.match(line, /^[ -~]+$/);
  t.match(line, 'k.yaml:1:1 error a\\u000ak.yaml:9:9 error forged\\u001b[2K\\u0085\\u2028\\u202e\\udb40\\udc01 is');
  t.match(formatProblem({ ...forged, message: 'gr\u00fc\u00df' }), 'gr\u00fc\u00df');
});

t.test('a field without a name is shown as one', async (t) => {
  t.equal(fieldName(['keys', 0, '']), 'keys[0].""');
  t.equal(fieldName(['']), '""');
  t.equal(fieldName([]), '');
});
