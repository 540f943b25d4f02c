/** Asks for an admin token, which is exchanged for a session and then forgotten. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { readSession, signIn } from '../api/requests.ts';
import { sessionOpened } from '../state/session.ts';
import { Notice } from '../ui/notice.tsx';

export function SignInPage({ ended }: { readonly ended: boolean }) {
  const [token, setToken] = useState('');
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);

  const submit = async (): Promise<void> => {
    setBusy(true);
    const signedIn = await signIn(token);
    const answer = signedIn.ok ? await readSession() : signedIn;
    setBusy(false);
    if (answer.ok) {
      setToken('');
      return sessionOpened(answer.value);
    }
    setWrong(answer.failure.status === 401 ? 'That is no admin token.' : answer.failure.detail);
    input.current?.select();
    input.current?.focus();
  };

  return (
    <main class="sign-in" id="sign-in">
      <form
        class="card"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <h1>Sign in to Postern</h1>
        {ended && <Notice kind="info">Your session has ended. What you typed is still there after you sign in.</Notice>}
        <div class="field">
          <label for="token">Admin token</label>
          <input
            ref={input}
            id="token"
            type="password"
            autocomplete="current-password"
            value={token}
            aria-invalid={wrong === '' ? undefined : 'true'}
            aria-describedby="token-hint token-wrong"
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          <p class="hint" id="token-hint">
            <code>admin.token</code>, or one of <code>admin.tokens</code>, of the configuration.
          </p>
          <p class="bad" id="token-wrong" role="alert">
            {wrong}
          </p>
        </div>
        <button type="submit" class="button button-primary" disabled={busy || token === ''}>
          Sign in
        </button>
      </form>
    </main>
  );
}
