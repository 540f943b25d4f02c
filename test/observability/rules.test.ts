import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { alertExpressions } from '../support/prometheus.ts';
import { requireTool } from '../support/tools.ts';

const promtool = requireTool('promtool', 'prometheus');
const folder = resolve('config/prometheus');
const rules = readFileSync(join(folder, 'postern.rules.yml'), 'utf8');
const CASES = ['postern.rules.test.yml', 'postern.days.test.yml'];
const cases = CASES.map((file) => readFileSync(join(folder, file), 'utf8'));

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

/** The file of cases with those alone that are about one alert: all of them take seconds for each. */
function casesOf(alert: string): string {
  const file = cases.find((text) => text.includes(`alertname: ${alert}`)) ?? '';
  const { tests, ...settings } = parse(file) as { tests: { alert_rule_test: { alertname: string }[] }[] };
  const about = tests.filter((test) => test.alert_rule_test.some(({ alertname }) => alertname === alert));
  return stringify({ ...settings, tests: about });
}

t.test('promtool accepts the rules and the configuration', async (t) => {
  const checked = run('check', 'rules', join(folder, 'postern.rules.yml'));
  t.equal(checked.status, 0, checked.output);
  const config = run('check', 'config', join(folder, 'prometheus.yml'));
  t.equal(config.status, 0, config.output);
});

t.test('every case of the alert rules holds', async (t) => {
  const tested = run('test', 'rules', ...CASES.map((file) => join(folder, file)));
  t.equal(tested.status, 0, tested.output);
});

t.test('every alert has a case, and the cases notice when it never fires', async (t) => {
  for (const { title, expr } of alertExpressions()) {
    t.ok(
      cases.some((text) => text.includes(`alertname: ${title}`)),
      title,
    );
    // The expression's last line, made impossible.
    const last = expr.trimEnd().split('\n').at(-1)?.trim() ?? '';
    t.ok(rules.includes(last));
    const broken = rules.replace(last, `${last} and on () vector(0) > 1`);
    const mutant = t.testdir({ 'postern.rules.yml': broken, 'postern.rules.test.yml': casesOf(title) });
    const tested = run('test', 'rules', join(mutant, 'postern.rules.test.yml'));
    t.not(tested.status, 0, `${title} without effect`);
    t.match(tested.output, title);
  }
});
