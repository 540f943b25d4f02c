import t from 'tap';
import type { Config } from '../../src/config/schema.ts';
import type { Loaded } from '../../src/keys/definition.ts';
import type { AddressListDefinition } from '../../src/keys/list-definition.ts';
import { followNamedLists } from '../../src/keys/missing-lists.ts';
import type { KeySnapshot } from '../../src/keys/key.ts';
import { EMPTY_SNAPSHOT } from '../../src/keys/snapshot.ts';

const configNaming = (...lists: readonly string[]) =>
  ({
    listen: { denyFrom: lists.map((list) => ({ list })) },
    apis: { orders: { allowFrom: 'anywhere', denyFrom: ['192.0.2.1'] } },
  }) as unknown as Config;

const keysWith = (...names: readonly string[]): KeySnapshot => {
  const lists = new Map<string, Loaded<AddressListDefinition>>([['broken', { id: 'broken', invalid: 'no list' }]]);
  for (const id of names) lists.set(id, { id, definition: { kind: 'literal', entries: [] } });
  return { ...EMPTY_SNAPSHOT, records: { ...EMPTY_SNAPSHOT.records, lists } };
};

t.test('a list that is named and not there is told of once, counted, and told of again when it is back', (t) => {
  const lines: string[] = [];
  const applied: KeySnapshot[] = [];
  let config = configNaming('office', 'broken');
  const known = { name: 'other', up: true, entries: 3, lastSuccessAt: 5, why: null };
  const named = followNamedLists({
    config: () => config,
    source: { lists: () => [known] },
    apply: (keys) => void applied.push(keys),
    log: {
      info: (event, { list }) => void lines.push(`info ${event} ${list}`),
      warn: (event, { list, detail }) => void lines.push(`warn ${event} ${list} ${detail.length > 20}`),
    },
  });
  const states = () => named.lists().map(({ name, up, entries, lastSuccessAt }) => [name, up, entries, lastSuccessAt]);

  named.tell();
  t.same(lines, [], 'nothing is missing before there are keys');
  t.same(named.lists(), [known]);

  const none = keysWith();
  named.use(none);
  named.use(none);
  t.same(applied, [none, none]);
  t.same(lines.splice(0), ['warn address_list_missing office true', 'warn address_list_missing broken true']);
  t.same(states(), [
    ['other', true, 3, 5],
    ['office', false, 0, null],
    ['broken', false, 0, null],
  ]);

  named.use(keysWith('office'));
  t.same(lines.splice(0), ['info address_list_found office']);
  config = configNaming('office', 'new');
  named.tell();
  t.same(lines, ['warn address_list_missing new true', 'info address_list_found broken']);
  t.same(states().slice(1), [['new', false, 0, null]]);
  t.end();
});
