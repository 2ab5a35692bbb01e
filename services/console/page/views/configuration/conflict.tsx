/** Somebody saved in between: what they changed, what is changed here, and the choice. */
import { get } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Loading, Problem } from '../../parts/notices.tsx'
import { Time } from '../../parts/time.tsx'
import { type Change, changesBetween, withChanges } from './changes.ts'
import { ChangesTable } from './changes-table.tsx'
import { adopt, configPath, type Draft, readConfig, type Shown } from './drafts.ts'
import type { Revision } from './revisions.tsx'

interface ConflictProps {
  readonly project: string
  readonly draft: Draft
  readonly onClose: () => void
}

interface Theirs {
  readonly newest: Shown
  readonly author: Revision | undefined
  readonly changes: readonly Omit<Change, 'keys'>[]
}

export function Conflict({ project, draft, onClose }: ConflictProps) {
  const { data, error, reload } = useLoad(`conflict ${project} ${draft.revision}`, (signal) =>
    readTheirs(project, draft.revision, signal),
  )
  const mine = changesBetween(draft.base, draft.document)
  const take = (document?: Draft['document']): void => {
    if (data !== undefined) adopt(project, data.newest, document)
    onClose()
  }
  return (
    <Dialog title="Somebody changed it meanwhile" onClose={onClose}>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading lines={5} />}
      {data && (
        <>
          <p>
            Revision {data.newest.revision} by {data.author?.author ?? 'somebody'},{' '}
            {data.author && <Time at={data.author.created_at} />}. Nothing of yours was stored.
          </p>
          <h3>What they changed</h3>
          <ChangesTable label="What they changed" changes={data.changes} />
          <h3>What you changed</h3>
          <ChangesTable
            label="What you changed"
            changes={mine}
            disputed={new Set(data.changes.map(({ path }) => path))}
          />
          <div class="actions">
            <button type="button" onClick={onClose}>
              Decide later
            </button>
            <button type="button" class="danger" onClick={() => take()}>
              Take theirs, drop mine
            </button>
            <button type="button" class="primary" onClick={() => take(withChanges(data.newest.document, mine))}>
              Put mine on top
            </button>
          </div>
        </>
      )}
    </Dialog>
  )
}

async function readTheirs(project: string, from: number, signal: AbortSignal): Promise<Theirs> {
  const newest = await readConfig(project, signal)
  const revisions = `${configPath(project)}/revisions`
  const { body: all } = await get<Revision[]>(revisions, {}, signal)
  const { body } = await get<Pick<Theirs, 'changes'>>(`${revisions}/${newest.revision}/diff`, { from }, signal)
  return { newest, author: all.find(({ number }) => number === newest.revision), changes: body.changes }
}
