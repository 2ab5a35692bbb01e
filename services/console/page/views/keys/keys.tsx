/** Keys of the admin API: who has one, what it may do, and until when. */
import { useState } from 'preact/hooks'
import { get, send } from '../../api.ts'
import { useLoad } from '../../load.ts'
import { confirm } from '../../parts/confirm.tsx'
import { Empty, Loading, Problem } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'
import { Time } from '../../parts/time.tsx'
import { attempt } from '../../parts/toast.tsx'
import { session } from '../../session.ts'
import type { Key } from './key.ts'
import './keys.css'
import { NewKey } from './new-key.tsx'

const KEYS = '/admin/keys'

export function Keys() {
  const [isMaking, setMaking] = useState(false)
  const { data, error, reload } = useLoad(KEYS, async (signal) => (await get<Key[]>(KEYS, {}, signal)).body)
  const revoke = ({ id, name }: Key): Promise<boolean> =>
    attempt(async () => {
      const text = 'Whoever uses it is refused at once, and every browser that signed in with it is signed out.'
      if (!(await confirm(`Revoke the key ${name}?`, text, 'Revoke key'))) return undefined
      await send('DELETE', `${KEYS}/${id}`)
      reload()
      return `${name} is revoked.`
    })
  return (
    <>
      <div class="title">
        <h1>API keys</h1>
        {session.value?.role === 'admin' && (
          <button type="button" class="primary" onClick={() => setMaking(true)}>
            New key
          </button>
        )}
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading lines={5} label="Loading keys" />}
      {data?.length === 0 && (
        <Empty title="No keys yet">On this machine none is needed; beyond it every request needs one.</Empty>
      )}
      {data !== undefined && data.length > 0 && <Table keys={data} onRevoke={revoke} />}
      {isMaking && <NewKey onClose={() => setMaking(false)} onMade={reload} />}
    </>
  )
}

function Table({ keys, onRevoke }: { keys: readonly Key[]; onRevoke: (key: Key) => void }) {
  return (
    <Scroll label="API keys">
      <table>
        <thead>
          <tr>
            {['Name', 'State', 'Role', 'Project', 'Created', 'Last used', 'Expires'].map((column) => (
              <th scope="col" key={column}>
                {column}
              </th>
            ))}
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <Row key={key.id} shown={key} onRevoke={onRevoke} />
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

function Row({ shown, onRevoke }: { shown: Key; onRevoke: (key: Key) => void }) {
  const { id, name, role, project, created_at, last_used_at, expires_at } = shown
  const state = stateOf(shown)
  return (
    <tr class={state === 'active' ? '' : 'ended'}>
      <th scope="row">
        {name}
        <div class="faint">
          <code>pr_{id}_…</code>
        </div>
      </th>
      <td>
        <span class="state" data-tone={state === 'active' ? 'good' : 'off'}>
          <span aria-hidden="true">{state === 'active' ? '✓' : '–'}</span>
          {state}
        </span>
      </td>
      <td>{role}</td>
      <td>{project ?? <span class="faint">all</span>}</td>
      <td class="nowrap">
        <Time at={created_at} />
      </td>
      <td class="nowrap">{last_used_at === null ? <span class="faint">never</span> : <Time at={last_used_at} />}</td>
      <td class="nowrap">{expires_at === null ? <span class="faint">never</span> : <Time at={expires_at} />}</td>
      <td class="row-actions">
        {state === 'active' && (
          <button type="button" class="danger" onClick={() => onRevoke(shown)}>
            Revoke<span class="visually-hidden"> {name}</span>
          </button>
        )}
      </td>
    </tr>
  )
}

function stateOf({ revoked_at, expires_at }: Key): 'active' | 'revoked' | 'expired' {
  if (revoked_at !== null) return 'revoked'
  return expires_at !== null && Date.parse(expires_at) <= Date.now() ? 'expired' : 'active'
}
