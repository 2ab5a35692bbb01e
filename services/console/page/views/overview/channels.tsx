/** Health of every way out: whether its breaker is open, how fast it goes, and what it said last. */
import { get } from '../../api.ts'
import { count } from '../../format.ts'
import { useLoad } from '../../load.ts'
import { hrefOf, project } from '../../location.ts'
import { Time } from '../../parts/time.tsx'
import type { ChannelHealth } from './stats.ts'

export function Channels() {
  const load = async (signal: AbortSignal): Promise<ChannelHealth[]> =>
    (await get<ChannelHealth[]>('/admin/courier/channels', { project: project.value }, signal)).body
  const { data } = useLoad(`channels ${project.value}`, load, 5_000)
  if (data === undefined || data.length === 0) return null
  return (
    <section aria-label="Channels">
      <h2>Channels</h2>
      <div class="grid">
        {data.map((channel) => (
          <Channel key={`${channel.project} ${channel.channel}`} channel={channel} />
        ))}
      </div>
    </section>
  )
}

function Channel({ channel }: { channel: ChannelHealth }) {
  const { state, message, since, next_probe_at, success_share, per_minute, rate, last_error } = channel
  const isBlocked = state === 'blocked'
  return (
    <section class="card">
      <h3>
        {channel.project_name ?? channel.project} · {channel.channel}{' '}
        <span class="state" data-tone={isBlocked ? 'bad' : 'good'}>
          <span aria-hidden="true">{isBlocked ? '✕' : '✓'}</span> {isBlocked ? 'Stands still' : 'Open'}
        </span>
      </h3>
      {isBlocked && (
        <p>
          {message}
          {since !== null && (
            <>
              , since <Time at={since} />
            </>
          )}
          {next_probe_at !== null && (
            <>
              ; looked at again <Time at={next_probe_at} />
            </>
          )}
          . <a href={hrefOf('/configuration', { project: channel.project })}>Configuration</a>
        </p>
      )}
      <dl>
        {channel.provider !== null && <Fact name="Provider" value={channel.provider} />}
        <Fact name="Last minute" value={`${count(per_minute)} attempts${rate === null ? '' : ` of ${rate}`}`} />
        {success_share !== null && (
          <Fact name="Accepted" value={`${(success_share * 100).toFixed(1)} % in 15 minutes`} />
        )}
        {last_error !== null && !(isBlocked && last_error.message === message) && (
          <>
            <dt>Last error</dt>
            <dd>
              {last_error.message}{' '}
              <span class="faint">
                <Time at={last_error.at} />
              </span>
            </dd>
          </>
        )}
      </dl>
    </section>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}
