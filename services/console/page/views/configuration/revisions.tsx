/** Every revision: who made it and when, what differs between any two, and the way back. */
import { useState } from 'preact/hooks'
import { get, send } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { confirm } from '../../parts/confirm.tsx'
import { Empty, Loading, Problem } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'
import { Time } from '../../parts/time.tsx'
import { attempt } from '../../parts/toast.tsx'
import type { Change } from './changes.ts'
import { ChangesTable } from './changes-table.tsx'
import { adopt, type Changed, configPath } from './drafts.ts'

export interface Revision {
  readonly number: number
  readonly author: string
  readonly created_at: string
}

interface RevisionsProps {
  readonly project: string
  readonly isReadOnly: boolean
}

export function Revisions({ project, isReadOnly }: RevisionsProps) {
  const path = `${configPath(project)}/revisions`
  const { data, error, reload } = useLoad(path, async (signal) => (await get<Revision[]>(path, {}, signal)).body)
  const [compared, setCompared] = useState<{ from: number; to: number }>()
  if (data === undefined) return error ? <Problem error={error} onRetry={reload} /> : <Loading lines={6} />
  if (data.length === 0) return <Empty title="No revision yet">The first one is made when you save.</Empty>
  const newest = data[0]!.number
  const rollBack = (number: number): Promise<boolean> =>
    attempt(async () => {
      const text = `The content of revision ${number}, with its secrets, becomes revision ${newest + 1}. Nothing is lost.`
      if (!(await confirm(`Roll back to revision ${number}?`, text, 'Roll back'))) return undefined
      const match = { 'if-match': `"${newest}"` }
      const { body } = await send<Changed>('POST', `${configPath(project)}/rollback`, { revision: number }, match)
      adopt(project, { revision: body.revision, document: body.identity_config })
      reload()
      return body.revision === newest ? 'It says the same already.' : `Rolled back: this is revision ${body.revision}.`
    })
  return (
    <>
      <Scroll label="Revisions">
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                Revision
              </th>
              <th scope="col">By</th>
              <th scope="col">When</th>
              <th scope="col">
                <span class="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data.map(({ number, author, created_at }) => (
              <tr key={number}>
                <td class="number">{number}</td>
                <td>{author}</td>
                <td class="nowrap">
                  <Time at={created_at} />
                </td>
                <td class="row-actions">
                  <button type="button" onClick={() => setCompared({ from: number - 1, to: number })}>
                    What it changed<span class="visually-hidden">, revision {number}</span>
                  </button>
                  {number !== newest && !isReadOnly && (
                    <button type="button" onClick={() => rollBack(number)}>
                      Roll back<span class="visually-hidden"> to revision {number}</span>
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <Difference
        path={path}
        revisions={data}
        compared={compared ?? { from: newest - 1, to: newest }}
        onChange={setCompared}
      />
    </>
  )
}

interface DifferenceProps {
  readonly path: string
  readonly revisions: readonly Revision[]
  readonly compared: { readonly from: number; readonly to: number }
  readonly onChange: (compared: { from: number; to: number }) => void
}

function Difference({ path, revisions, compared: { from, to }, onChange }: DifferenceProps) {
  const { data, error, reload } = useLoad(
    `${path} ${from} ${to}`,
    async (signal) => (await get<{ changes: Change[] }>(`${path}/${to}/diff`, { from }, signal)).body.changes,
  )
  const numbers = revisions.map(({ number }) => number)
  return (
    <section class="difference" aria-label="Difference">
      <div class="toolbar">
        <label>
          From
          <select value={from} onChange={({ currentTarget }) => onChange({ from: Number(currentTarget.value), to })}>
            {[...numbers, 0].map((number) => (
              <option key={number} value={number}>
                {number === 0 ? 'defaults' : `revision ${number}`}
              </option>
            ))}
          </select>
        </label>
        <label>
          To
          <select value={to} onChange={({ currentTarget }) => onChange({ from, to: Number(currentTarget.value) })}>
            {numbers.map((number) => (
              <option key={number} value={number}>
                revision {number}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading lines={3} />}
      {data && <ChangesTable label={`Changes from revision ${from} to ${to}`} changes={data} />}
    </section>
  )
}
