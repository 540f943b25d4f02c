/** Short marks for a state. The word says everything; the colour only helps. */
import type { KeyState } from '../api/types.ts';

export type Tone = 'good' | 'warning' | 'bad' | 'neutral';

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}

const STATES: Readonly<Record<KeyState, readonly [Tone, string]>> = {
  active: ['good', 'Active'],
  disabled: ['neutral', 'Disabled'],
  expired: ['bad', 'Expired'],
  invalid: ['bad', 'Invalid'],
};

export function StateBadge({ state }: { readonly state: KeyState }) {
  const [tone, text] = STATES[state];
  return <Badge tone={tone}>{text}</Badge>;
}
