/** The alert rules as the Prometheus Operator takes them: the same rules in its own kind of object. */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';

const RULES = 'config/prometheus/postern.rules.yml';

export function alertRuleFiles() {
  const { groups } = parse(readFileSync(RULES, 'utf8'));
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'postern', labels: { 'app.kubernetes.io/name': 'api' } },
    spec: { groups },
  };
  const content = `# Made from ${RULES} by \`npm run docs\`. Change it there.\n${stringify(rule, { lineWidth: 0 })}`;
  return [{ file: 'deploy/kubernetes/overlays/prometheus-operator/prometheus-rule.yaml', content }];
}
