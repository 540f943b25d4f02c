/** What there is to choose from in the form of a key: APIs with their routes, policies and address lists. Empty until it was read. */
import { listAddressLists, listApis, listPolicies } from '../api/requests.ts';
import type { ListedApi } from '../api/types.ts';
import { useResource } from '../state/resource.ts';

export interface Choices {
  readonly apis: readonly ListedApi[];
  readonly policies: readonly string[];
  readonly lists: readonly string[];
}

export function useChoices(): Choices {
  const apis = useResource('apis', listApis);
  const policies = useResource('policies', listPolicies);
  const lists = useResource('lists', listAddressLists);
  return {
    apis: apis.value?.apis ?? [],
    policies: (policies.value?.policies ?? []).map(({ name }) => name),
    lists: (lists.value?.lists ?? []).map(({ name }) => name),
  };
}
