/** What a change of a policy will mean, key by key, before it is saved. */
import { keyAddress } from '../route.ts';
import type { KeyEffect } from './policy-draft.ts';

/** More keys are counted. */
const MOST_KEYS = 50;

export function Effects({ effects }: { readonly effects: readonly KeyEffect[] }) {
  return (
    <section class="card" aria-labelledby="effects">
      <h2 id="effects">What this change means</h2>
      {effects.length === 0 && <p class="muted">For no key anything changes.</p>}
      <ul class="plain-list">
        {effects.slice(0, MOST_KEYS).map(({ id, changes }) => (
          <li key={id}>
            <a class="mono" href={keyAddress(id)}>
              {id}
            </a>
            <ul class="plain-list">
              {changes.map(({ title, before, after }) => (
                <li key={title}>
                  {title}: {before} → {after}
                </li>
              ))}
            </ul>
          </li>
        ))}
        {effects.length > MOST_KEYS && <li>and {effects.length - MOST_KEYS} more keys</li>}
      </ul>
    </section>
  );
}
