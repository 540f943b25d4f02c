/**
 * Addresses that are refused or admitted as a whole, whatever credential comes with the request: those that the data port turns
 * away, and those that an API turns away or is for alone. A key's own addresses are judged in client-address.ts.
 */
import type { AddressLists, AddressRule } from '../keys/address-rule.ts';
import { refusal, type Refusal } from '../refusal.ts';
import type { ClientAddress } from './client-address.ts';
import { describeEntry, ruleOfApi } from './rule.ts';
import type { ApiRules, Ruleset } from './ruleset.ts';

/** Refuses an address that `listen.denyFrom` names. */
export function checkDeniedAddress({ denyFrom, keys }: Ruleset, client: ClientAddress): Refusal | null {
  return denyFrom.holds(client.address, keys.lists) ? denied(denyFrom, client, keys.lists, 'listen.denyFrom') : null;
}

/** Refuses an address that may not use the API. */
export function checkApiAddress(api: ApiRules, client: ClientAddress, lists: AddressLists): Refusal | null {
  const { name, allowFrom, denyFrom } = api;
  if (denyFrom.holds(client.address, lists)) return denied(denyFrom, client, lists, ruleOfApi(name, 'denyFrom'));
  if (allowFrom.holds(client.address, lists)) return null;
  const rule = ruleOfApi(name, 'allowFrom');
  return refusal('ip_not_allowed', `${client.text} is not on ${rule}`, rule);
}

function denied(rule: AddressRule, client: ClientAddress, lists: AddressLists, name: string): Refusal {
  const entry = rule.entryOf(client.address, lists);
  if (entry === null) return refusal('address_denied', `a caller whose address is not known may be on ${name}`, name);
  const named = `${name}: ${describeEntry(entry)}`;
  return refusal('address_denied', `${client.text} is on ${named}`, named);
}
