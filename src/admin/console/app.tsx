/** The frame of the console: sign-in, navigation, whether Postern answers, and the page that the address names. */
import { useEffect, useRef } from 'preact/hooks';
import { readSession, readStatus, signOut } from './api/requests.ts';
import { ExplainPage } from './explain/explain-page.tsx';
import { HistoryPage } from './history/history-page.tsx';
import { KeyPage } from './keys/key-page.tsx';
import { KeysPage } from './keys/keys-page.tsx';
import { NewKeyPage } from './keys/new-key-page.tsx';
import { ListPage } from './lists/list-page.tsx';
import { ListsPage } from './lists/lists-page.tsx';
import { ApiPage } from './observed/api-page.tsx';
import { OverviewPage } from './overview/overview-page.tsx';
import { PoliciesPage } from './policies/policies-page.tsx';
import { PolicyPage } from './policies/policy-page.tsx';
import { mayLeave, placeOf, route, type Route } from './route.ts';
import { SignInPage } from './sign-in/sign-in-page.tsx';
import { connected, returns } from './state/connection.ts';
import { useResource } from './state/resource.ts';
import { session, sessionOpened, signedOut, user } from './state/session.ts';
import { announcement, StatusContext } from './state/status.ts';
import { useStore } from './state/store.ts';
import { LiveRegion, Notice } from './ui/notice.tsx';

export function App() {
  const state = useStore(session);
  useEffect(() => {
    const look = (): void => void readSession().then((answer) => answer.ok && sessionOpened(answer.value));
    look();
    return returns.subscribe(() => session.get() === 'unknown' && look());
  }, []);
  return (
    <>
      <ConnectionNotice />
      {state === 'unknown' && (
        <p class="loading" role="status">
          Loading…
        </p>
      )}
      {(state === 'none' || state === 'ended') && <SignInPage ended={state === 'ended'} />}
      {(state === 'open' || state === 'ended') && (
        // Kept when the session ends, so that what was typed is still there after the next sign-in.
        <div hidden={state === 'ended'}>
          <SignedIn />
        </div>
      )}
    </>
  );
}

function ConnectionNotice() {
  const isConnected = useStore(connected);
  return (
    <div role="status" class="connection">
      {!isConnected && (
        <Notice kind="error">Postern does not answer. What is shown may be old. Trying again until it does.</Notice>
      )}
    </div>
  );
}

const REFRESH_MS = 10_000;

function SignedIn() {
  const status = useResource('status', readStatus, REFRESH_MS);
  const current = useStore(route);
  const said = useStore(announcement);
  const main = useRef<HTMLElement>(null);
  const title = titleOf(current);
  useFocusOnChange(main, current);
  useEffect(() => {
    document.title = `${title} - Postern`;
  }, [title]);
  return (
    <StatusContext.Provider value={status}>
      <a class="skip" href="#main" onClick={(event) => focusMain(event, main.current)}>
        Skip to the content
      </a>
      <Header current={current} />
      <main ref={main} id="main" tabIndex={-1}>
        <LiveRegion>{said !== '' && <Notice kind="good">{said}</Notice>}</LiveRegion>
        <Page current={current} />
      </main>
    </StatusContext.Provider>
  );
}

const NAVIGATION = [
  ['#/', 'Overview', ['overview']],
  ['#/keys', 'Keys', ['keys', 'key', 'new-key']],
  ['#/policies', 'Policies', ['policies', 'policy']],
  ['#/lists', 'Lists', ['lists', 'list']],
  ['#/apis', 'APIs', ['apis']],
  ['#/history', 'History', ['history']],
  ['#/explain', 'Explain', ['explain']],
] as const satisfies readonly (readonly [string, string, readonly Route['page'][]])[];

function Header({ current }: { readonly current: Route }) {
  const by = useStore(user);
  const leave = async (): Promise<void> => {
    if (!mayLeave()) return;
    const answer = await signOut();
    if (answer.ok || answer.failure.status === 401) signedOut();
  };
  return (
    <header class="header">
      <a class="brand" href="#/">
        Postern
      </a>
      <nav aria-label="Pages">
        {NAVIGATION.map(([address, label, pages]) => (
          <a
            key={address}
            href={address}
            aria-current={(pages as readonly string[]).includes(current.page) ? 'page' : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      {by !== null && (
        <span class="muted who">
          {by.who} ({by.role})
        </span>
      )}
      <button type="button" class="button button-small" onClick={() => void leave()}>
        Sign out
      </button>
    </header>
  );
}

function Page({ current }: { readonly current: Route }) {
  switch (current.page) {
    case 'overview':
      return <OverviewPage view={current.view} />;
    case 'keys':
      return <KeysPage view={current.view} />;
    case 'key':
      return <KeyPage key={current.id} id={current.id} allow={current.allow} />;
    case 'new-key':
      return <NewKeyPage />;
    case 'policies':
      return <PoliciesPage />;
    case 'policy':
      return <PolicyPage key={`policy ${current.name}`} name={current.name} />;
    case 'lists':
      return <ListsPage />;
    case 'list':
      return <ListPage key={`list ${current.name}`} name={current.name} />;
    case 'history':
      return <HistoryPage view={current.view} />;
    case 'apis':
      return <ApiPage name={current.name} />;
    case 'explain':
      return <ExplainPage key={JSON.stringify(current.about)} about={current.about} />;
    case 'unknown':
      return (
        <>
          <h1>No such page</h1>
          <p>
            <a href="#/">Overview</a>
          </p>
        </>
      );
  }
}

function titleOf(current: Route): string {
  switch (current.page) {
    case 'overview':
      return 'Overview';
    case 'keys':
      return 'Keys';
    case 'key':
      return `Key ${current.id}`;
    case 'new-key':
      return 'New key';
    case 'policies':
      return 'Policies';
    case 'policy':
      return current.name === null ? 'New policy' : `Policy ${current.name}`;
    case 'lists':
      return 'Lists';
    case 'list':
      return current.name === null ? 'New list' : `List ${current.name}`;
    case 'history':
      return 'History';
    case 'apis':
      return current.name === null ? 'APIs' : `API ${current.name}`;
    case 'explain':
      return 'Explain';
    case 'unknown':
      return 'No such page';
  }
}

/**
 * A new page begins at its top, for the eye and for the keyboard; what was announced belongs to the page before. Another view of
 * the same page stays where it is.
 */
function useFocusOnChange(main: { readonly current: HTMLElement | null }, current: Route): void {
  const first = useRef(true);
  const place = placeOf(current);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    if (!['keys', 'policies', 'lists'].includes(current.page)) announcement.set('');
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [place]);
}

function focusMain(event: Event, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}
