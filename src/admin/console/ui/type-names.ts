/** What the types of keys are called on the pages. */
import type { KeyType } from '../api/types.ts';

export const TYPE_NAMES: Readonly<Record<KeyType, string>> = {
  'write-only': 'Write-only',
  'read-only': 'Read-only',
  'read-write': 'Read & write',
  metrics: 'Metrics',
};
