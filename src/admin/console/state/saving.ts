/** The state of saving and deleting something that has a name and a tag, and what the server said. What was typed stays as it is. */
import { useEffect, useState } from 'preact/hooks';
import type { Answer, Failure } from '../api/client.ts';
import type { Finding } from '../api/types.ts';
import { setUnsaved } from '../route.ts';

export interface Saving {
  readonly busy: boolean;
  readonly findings: readonly Finding[];
  readonly failure: Failure | null;
  /** What was done last, for the live region. */
  readonly said: string;
  /** Asks, and tells `then` when it was done. */
  readonly attempt: <T>(
    request: () => Promise<Answer<T>>,
    then: (answer: Answer<T> & { readonly ok: true }) => string,
  ) => Promise<void>;
}

/** `unsaved`: asked before the page is left; null: nothing is unsaved. */
export function useSaving(unsaved: string | null): Saving {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Pick<Saving, 'findings' | 'failure' | 'said'>>(NOTHING);
  useEffect(() => {
    setUnsaved(unsaved);
    return () => setUnsaved(null);
  }, [unsaved]);
  return {
    busy,
    ...outcome,
    async attempt(request, then) {
      setBusy(true);
      setOutcome(NOTHING);
      const answer = await request();
      setBusy(false);
      if (answer.ok) setOutcome({ ...NOTHING, said: then(answer) });
      else if (answer.failure.status === 422) setOutcome({ ...NOTHING, findings: answer.failure.findings });
      else setOutcome({ ...NOTHING, failure: answer.failure });
    },
  };
}

const NOTHING = { findings: [], failure: null, said: '' } as const;
