/** All address lists: where they come from, how many entries they hold, and whether they could be read. */
import { listAddressLists } from '../api/requests.ts';
import { listAddress } from '../route.ts';
import { useReadOnly } from '../state/editing.ts';
import { useResource } from '../state/resource.ts';
import { Badge } from '../ui/badge.tsx';
import { Await, Notice } from '../ui/notice.tsx';
import { usersInWords } from '../ui/record.tsx';
import { Ago } from '../ui/time.tsx';

const REFRESH_MS = 10_000;

export function ListsPage() {
  const lists = useResource('lists', listAddressLists, REFRESH_MS);
  const readOnly = useReadOnly();
  return (
    <>
      <div class="title-row">
        <h1>Lists</h1>
        {readOnly === null && (
          <a class="button button-primary" href="#/new-list">
            New list
          </a>
        )}
      </div>
      {readOnly !== null && <Notice kind="info">{readOnly}</Notice>}
      <Await resource={lists} what="lists">
        {({ lists: read, invalid }) => (
          <>
            {read.length + invalid.length === 0 && (
              <Notice kind="info">
                There are no address lists yet. A list is used by its name, in keys and policies.
              </Notice>
            )}
            {invalid.map(({ name, why }) => (
              <Notice key={name} kind="error">
                <a href={listAddress(name)}>{name}</a> cannot be read: {why}.
              </Notice>
            ))}
            {read.length > 0 && (
              <section class="card card-flush" aria-label="Lists">
                <table class="table table-cards">
                  <thead>
                    <tr>
                      <th scope="col">Name</th>
                      <th scope="col">From</th>
                      <th scope="col">Entries</th>
                      <th scope="col">State</th>
                      <th scope="col">Used by</th>
                    </tr>
                  </thead>
                  <tbody>
                    {read.map(({ name, kind, file, url, total, up, lastSuccessAt, usedBy }) => (
                      <tr key={name}>
                        <th scope="row">
                          <a class="mono" href={listAddress(name)}>
                            {name}
                          </a>
                        </th>
                        <td data-label="From">{kind === 'literal' ? 'Here' : (file ?? url)}</td>
                        <td data-label="Entries" class="number">
                          {total}
                        </td>
                        <td data-label="State">
                          <span class="badges">
                            <Badge tone={up ? 'good' : 'bad'}>{up ? 'Read' : 'Not read'}</Badge>
                          </span>{' '}
                          {kind !== 'literal' && lastSuccessAt !== null && <Ago at={lastSuccessAt} />}
                        </td>
                        <td data-label="Used by">{usersInWords(usedBy)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </section>
            )}
          </>
        )}
      </Await>
    </>
  );
}
