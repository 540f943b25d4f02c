/** Takes whoever sent a form to the first field that has to be put right. */
import { useEffect } from 'preact/hooks';
import type { Finding } from '../api/types.ts';

export function useFocusOnMistake(findings: readonly Finding[]): void {
  const found = findings.length > 0;
  useEffect(() => {
    if (found) document.querySelector<HTMLElement>('main [aria-invalid="true"]')?.focus();
  }, [findings, found]);
}
