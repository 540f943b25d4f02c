/** Reasons and keys as people read them. */
import { REFUSALS } from '../../../refusal.ts';
import { REST, type GroupBy } from './stack.ts';

const CREDENTIALS: Readonly<Record<string, string>> = {
  unknown: 'Unknown Credential',
  disabled: 'Disabled Key',
  expired: 'Expired Key or Secret',
};

export function reasonTitle(reason: string): string {
  const refusal = Object.entries(REFUSALS).find(([code]) => code === reason);
  return refusal?.[1].title ?? CREDENTIALS[reason] ?? reason;
}

export const keyName = (id: string): string => (id === '' ? 'No known key' : id);

export const nameOf = (by: GroupBy, name: string): string =>
  name === REST ? 'Others' : by === 'reason' ? reasonTitle(name) : keyName(name);
