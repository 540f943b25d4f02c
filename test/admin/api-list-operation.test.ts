import t from 'tap';
import { apiListOperation } from '../../src/admin/api-list-operation.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import { asking } from '../support/admin-operations.ts';
import { apiRules, rulesOf } from '../support/passages.ts';

const config = ConfigSchema.parse({ apis: { integration: { upstream: 'http://127.0.0.1:9', paths: ['/v1'] } } });

t.test('APIs with their paths and routes, and whether they give tokens', async (t) => {
  const rules = rulesOf([], {
    integration: apiRules({ unlisted: 'refuse' }),
    metrics: apiRules({ name: 'metrics', tokenPath: '/metrics/auth/token' }),
  });
  const { status, body } = await asking([apiListOperation({ config: () => config, rules: () => rules })])('listApis');
  t.equal(status, 200);
  t.same(
    body.apis.map(({ name, paths, unlisted, tokens }: Record<string, unknown>) => [name, paths, unlisted, tokens]),
    [
      ['integration', ['/v1'], 'refuse', false],
      ['metrics', ['/metrics'], rules.apis[1]?.unlisted, true],
    ],
  );
  const [ingest] = body.apis[0].routes.filter(({ path }: { path: string }) => path === '/event/ingest');
  t.same(ingest, { method: 'POST', path: '/event/ingest', events: true, public: false, pages: false });
  t.ok(body.apis[0].routes.some(({ events }: { events: boolean }) => !events));
});
