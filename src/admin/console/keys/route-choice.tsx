/** Which routes a key may use: all, or some, chosen in tables of methods by routes that also show what the key may do. */
import type { KeyType, ListedApi } from '../api/types.ts';
import { AddText } from '../ui/add-text.tsx';
import { Choice, Errors, messagesWithin } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import type { FormPartProps } from './draft.ts';
import { otherLines, routeTable, type Cell } from './route-table.ts';

export function RouteChoice({ type, draft, change, findings, readOnly, choices }: FormPartProps) {
  const { apis, allowedRoutes } = draft;
  const served = choices.apis.filter(({ name }) => (apis === 'all' ? name !== 'metrics' : apis.includes(name)));
  const set = (lines: readonly string[]): void => change({ allowedRoutes: [...lines] });
  return (
    <div class="subsection">
      <h3>Routes</h3>
      <Choice
        label="Which routes this key may use"
        value={allowedRoutes === 'all' ? 'all' : 'listed'}
        disabled={readOnly}
        onChange={(choice) => change({ allowedRoutes: choice === 'all' ? 'all' : [] })}
        options={[
          ['all', 'All routes'],
          ['listed', 'Only chosen routes', 'Everything else gets 403 Forbidden.'],
        ]}
      />
      {served.map((api) => (
        <ApiRoutes key={api.name} api={api} type={type} allowed={allowedRoutes} readOnly={readOnly} onChange={set} />
      ))}
      {allowedRoutes !== 'all' && (
        <OtherRoutes
          lines={allowedRoutes}
          others={otherLines(served, allowedRoutes)}
          readOnly={readOnly}
          onChange={set}
        />
      )}
      <Errors messages={messagesWithin(findings, 'allowedRoutes')} />
    </div>
  );
}

interface ApiRoutesProps {
  readonly api: ListedApi;
  readonly type: KeyType;
  readonly allowed: 'all' | readonly string[];
  readonly readOnly: boolean;
  readonly onChange: (lines: readonly string[]) => void;
}

function ApiRoutes({ api, type, allowed, readOnly, onChange }: ApiRoutesProps) {
  const { methods, rows } = routeTable(api, allowed, type);
  if (rows.length === 0) return null;
  const toggle = (line: string, on: boolean): void => {
    if (allowed !== 'all') onChange(on ? [...allowed, line] : allowed.filter((other) => other !== line));
  };
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={`Routes of ${api.name}`}>
      <table class="table">
        <caption class="visually-hidden">What this key may do in {api.name}</caption>
        <thead>
          <tr>
            <th scope="col">{api.name}</th>
            {methods.map((method) => (
              <th key={method} scope="col">
                {method}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ path, cells }) => (
            <tr key={path}>
              <th scope="row" class="mono">
                {path}
              </th>
              {cells.map((cell, index) => (
                <td key={methods[index]}>
                  <RouteCell cell={cell} isChoice={allowed !== 'all' && !readOnly} onChange={toggle} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RouteCellProps {
  readonly cell: Cell;
  readonly isChoice: boolean;
  readonly onChange: (line: string, on: boolean) => void;
}

function RouteCell({ cell, isChoice, onChange }: RouteCellProps) {
  if (cell.kind === 'none') return null;
  if (cell.kind === 'barred') return <span class="muted">not its type</span>;
  const { line, named, admitted } = cell;
  if (isChoice && (named || !admitted))
    return (
      <input
        type="checkbox"
        aria-label={line}
        checked={named}
        onChange={(event) => onChange(line, event.currentTarget.checked)}
      />
    );
  return admitted ? <span class="whole">allowed</span> : <span class="muted whole">refused</span>;
}

interface OtherRoutesProps {
  readonly lines: readonly string[];
  readonly others: readonly string[];
  readonly readOnly: boolean;
  readonly onChange: (lines: readonly string[]) => void;
}

/** Lines that no table shows, and one to type. */
function OtherRoutes({ lines, others, readOnly, onChange }: OtherRoutesProps) {
  const add = (typed: string): string | null => {
    const line = typed.trim();
    if (line === '') return 'Type a method and a path first.';
    if (!lines.includes(line)) onChange([...lines, line]);
    return null;
  };
  return (
    <div class="rows">
      {lines.length === 0 && <Notice kind="warning">No route is chosen: this key may use none.</Notice>}
      <ul class="row-list">
        {others.map((line) => (
          <li key={line} class="row row-single">
            <code>{line}</code>
            {!readOnly && (
              <button
                type="button"
                class="remove"
                aria-label={`Remove ${line}`}
                onClick={() => onChange(lines.filter((other) => other !== line))}
              >
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      {!readOnly && <AddText label="Another route" button="Add route" placeholder="GET /v1/users/:id" onAdd={add} />}
    </div>
  );
}
