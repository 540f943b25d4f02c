/** Reasons, keys and numbers as people read them. */
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

/** IPv4 addresses are never broken; those of IPv6 may be too long for that. */
export const addressClass = (address: string): string => (address.includes(':') ? 'mono' : 'mono whole');

export const keyName = (id: string): string => (id === '' ? 'No known key' : id);

export const nameOf = (by: GroupBy, name: string): string =>
  name === REST ? 'Others' : by === 'reason' ? reasonTitle(name) : keyName(name);

const numbers = new Intl.NumberFormat('en');

/** Such as `12,345`. */
export const count = (number: number): string => numbers.format(number);

/** Such as `12 %`; what is not nothing is never shown as nothing. */
export function share(part: number, whole: number): string {
  if (part === 0 || whole === 0) return '0 %';
  const percent = (100 * part) / whole;
  if (percent < 0.1) return '< 0.1 %';
  return `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}
