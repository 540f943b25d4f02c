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
