/** The manifests: kubectl builds each, Kubernetes' own schemas accept them, and what they configure passes a strict check. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { runCheck } from '../../src/commands/check.ts';
import { capturedIo } from '../support/command-io.ts';
import { requireTool } from '../support/tools.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

interface Container {
  readonly name: string;
  readonly image?: string;
  readonly restartPolicy?: string;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly securityContext?: unknown;
  readonly startupProbe?: unknown;
  readonly livenessProbe?: unknown;
  readonly readinessProbe?: unknown;
  readonly lifecycle?: unknown;
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
}

const ROOT = 'deploy/kubernetes';
const BUILDS = ['base', ...readdirSync(join(ROOT, 'overlays')).map((name) => `overlays/${name}`)];
const LABEL = { 'app.kubernetes.io/name': 'api' };
const SECRETS = { POSTERN_ADMIN_TOKEN: 'only-to-check-the-manifests', POSTERN_REDIS_URL: 'redis://redis:6379' };
const kubectl = requireTool('kubectl', 'kubernetes-client');
const require = createRequire(import.meta.url);

const built = new Map(BUILDS.map((name) => [name, build(name)]));

function build(name: string): readonly Manifest[] {
  const text = execFileSync(kubectl, ['kustomize', join(ROOT, name)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

function only(name: string, kind: string): Manifest {
  const [found, ...more] = (built.get(name) ?? []).filter((manifest) => manifest.kind === kind);
  if (found === undefined || more.length > 0) throw new Error(`${name} wants one ${kind}`);
  return found;
}

const podOf = (name: string): Pod =>
  (only(name, 'Deployment').spec as { readonly template: { readonly spec: Pod } }).template.spec;

const posternOf = (pod: Pod): Container =>
  [...(pod.initContainers ?? []), ...pod.containers].find(({ name }) => name === 'postern') as Container;

t.test("Kubernetes' schemas accept every object", async (t) => {
  const modules = new Map([
    ['v1', 'kubernetes-models/v1'],
    ['monitoring.coreos.com/v1', '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'],
  ]);
  for (const [name, manifests] of built)
    for (const manifest of manifests) {
      const { apiVersion, kind } = manifest;
      const models = require(modules.get(apiVersion) ?? `kubernetes-models/${apiVersion}`) as Readonly<
        Record<string, new (data: unknown) => { readonly validate: () => void }>
      >;
      const Model = models[kind];
      t.ok(Model, `${apiVersion} has ${kind}`);
      if (Model !== undefined) t.doesNotThrow(() => new Model(manifest).validate(), `${name}: ${kind}`);
    }
});

t.test('what selects the pods selects those that the deployment makes', async (t) => {
  for (const name of BUILDS) {
    const { spec } = only(name, 'Deployment') as {
      readonly spec: { readonly selector: unknown; readonly template: Manifest };
    };
    t.same(spec.selector, { matchLabels: LABEL });
    t.same(spec.template.metadata.labels, LABEL);
    t.same((only(name, 'Service').spec as { readonly selector: unknown }).selector, LABEL);
    t.same((only(name, 'NetworkPolicy').spec as { readonly podSelector: unknown }).podSelector, { matchLabels: LABEL });
    t.same((only(name, 'PodDisruptionBudget').spec as { readonly selector: unknown }).selector, { matchLabels: LABEL });
  }
});

t.test('the configuration passes `check --strict` with the secrets that the pod brings', async (t) => {
  for (const name of BUILDS) {
    const folder = join(t.testdir(), name);
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(only(name, 'ConfigMap').data ?? {}))
      writeFileSync(join(folder, file), text);
    const wanted = (posternOf(podOf(name)).env ?? []).map((variable) => variable.name);
    const env = Object.fromEntries(Object.entries(SECRETS).filter(([variable]) => wanted.includes(variable)));
    const { io, out } = capturedIo({ env });
    t.equal(await runCheck({ config: join(folder, 'postern.yaml'), strict: true, json: false }, io), 0, out.join('\n'));
    for (const variable of posternOf(podOf(name)).env ?? [])
      t.equal(variable.value, undefined, `${variable.name} comes from a Secret`);
  }
});

t.test('the ports are those that the configuration listens on, and the service leads to Postern', async (t) => {
  for (const name of BUILDS) {
    const { listen, admin } = parse(only(name, 'ConfigMap').data?.['postern.yaml'] ?? '') as {
      readonly listen: { readonly port: number; readonly shutdownGraceSeconds: number };
      readonly admin: { readonly port: number };
    };
    const pod = podOf(name);
    t.same(posternOf(pod).ports, [
      { name: 'http', containerPort: listen.port },
      { name: 'admin', containerPort: admin.port },
    ]);
    t.same((only(name, 'Service').spec as { readonly ports: unknown }).ports, [
      { name: 'http', port: 80, targetPort: 'http' },
    ]);
    t.ok(pod.terminationGracePeriodSeconds >= listen.shutdownGraceSeconds + 10, `${name} has time to end`);
  }
});

t.test('Postern is a native sidecar, but where clusters know none', async (t) => {
  for (const name of BUILDS) {
    const { initContainers = [], containers } = podOf(name);
    const plain = name === 'overlays/plain-container';
    t.same(
      initContainers.map((container) => [container.name, container.restartPolicy]),
      plain ? [] : [['postern', 'Always']],
      name,
    );
    t.same(
      containers.map((container) => container.name).toSorted(),
      plain ? ['backend', 'postern'] : ['backend'],
      name,
    );
  }
});

t.test('both forms run the same container, which can do nothing but serve', async (t) => {
  const { restartPolicy, ...sidecar } = posternOf(podOf('base'));
  t.equal(restartPolicy, 'Always');
  t.same(posternOf(podOf('overlays/plain-container')), sidecar);
  t.same(sidecar.securityContext, {
    runAsUser: 1000,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  });
  for (const probe of [sidecar.startupProbe, sidecar.livenessProbe, sidecar.readinessProbe]) t.ok(probe);
});

t.test('with Redis the autoscaler has the number of replicas to itself', async (t) => {
  t.notOk(Object.hasOwn(only('overlays/redis', 'Deployment').spec as object, 'replicas'));
  t.same(
    (only('overlays/redis', 'HorizontalPodAutoscaler').spec as { readonly scaleTargetRef: unknown }).scaleTargetRef,
    { apiVersion: 'apps/v1', kind: 'Deployment', name: only('overlays/redis', 'Deployment').metadata.name },
  );
});
