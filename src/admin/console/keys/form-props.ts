/** What every part of the form of a key is given. */
import type { Finding, KeyType } from '../api/types.ts';
import type { Draft } from './draft.ts';

export interface FormPartProps {
  readonly type: KeyType;
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  readonly findings: readonly Finding[];
  readonly readOnly: boolean;
}
