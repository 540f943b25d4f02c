/**
 * Addresses that are refused or admitted as a whole, whatever credential comes with the request: those that the data port turns
 * away, and those that an API turns away or is for alone. A key's own addresses are judged in client-address.ts.
 */
import type { AddressLists } from '../keys/address-rule.ts';
import { refusal, type Refusal } from '../refusal.ts';
import type { ClientAddress } from './client-address.ts';
import { ruleOfApi, ruleOfListen, whyDenied } from './rule.ts';
import type { ApiRules, Ruleset } from './ruleset.ts';

/** Refuses an address that `listen.denyFrom` names. */
export function checkDeniedAddress({ denyFrom, keys }: Ruleset, client: ClientAddress): Refusal | null {
  if (!denyFrom.holds(client.address, keys.lists)) return null;
  const entry = denyFrom.entryOf(client.address, keys.lists);
  return refusal('address_denied', whyDenied(client.text, entry), ruleOfListen('denyFrom', entry));
}

/** Refuses an address that may not use the API. */
export function checkApiAddress(api: ApiRules, client: ClientAddress, lists: AddressLists): Refusal | null {
  const { name, allowFrom, denyFrom } = api;
  if (denyFrom.holds(client.address, lists)) {
    const entry = denyFrom.entryOf(client.address, lists);
    return refusal('address_denied', whyDenied(client.text, entry), ruleOfApi(name, 'denyFrom', entry));
  }
  if (allowFrom.holds(client.address, lists)) return null;
  return refusal('ip_not_allowed', `${client.text} is not on the list`, ruleOfApi(name, 'allowFrom'));
}
