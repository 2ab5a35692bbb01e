/** The template types: what each is for, which channels it has, and the way to its preview. */
import { get } from '../../api.ts'
import { words } from '../../format.ts'
import { useLoad } from '../../load.ts'
import { hrefOf, project } from '../../location.ts'
import { Loading, Problem } from '../../parts/notices.tsx'
import { Scroll } from '../../parts/scroll.tsx'
import { Preview } from './preview.tsx'
import { CHANNELS, MEANINGS, SOURCES, TEMPLATES, type TemplateKind } from './template.ts'
import './templates.css'

function useKinds() {
  const asked = { project: project.value }
  return useLoad(
    `${TEMPLATES} ${asked.project}`,
    async (signal) => (await get<TemplateKind[]>(TEMPLATES, asked, signal)).body,
  )
}

export function Templates() {
  const { data, error, reload } = useKinds()
  return (
    <>
      <h1>Templates</h1>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading lines={13} label="Loading templates" />}
      {data && <Table kinds={data} />}
    </>
  )
}

function Table({ kinds }: { kinds: readonly TemplateKind[] }) {
  return (
    <Scroll label="Template types">
      <table>
        <thead>
          <tr>
            <th scope="col">Template</th>
            <th scope="col">Sent when</th>
            <th scope="col">Channels</th>
            <th scope="col">Required data</th>
          </tr>
        </thead>
        <tbody>
          {kinds.map(({ template_type: type, channels }) => (
            <tr key={type}>
              <th scope="row">
                <a href={hrefOf(`/templates/${type}`)}>{words(type)}</a>
              </th>
              <td>{MEANINGS[type]}</td>
              <td>
                {Object.entries(channels).map(([channel, { source }]) => (
                  <div key={channel} class="nowrap">
                    {CHANNELS[channel] ?? channel} <span class="faint">{SOURCES[source]}</span>
                  </div>
                ))}
              </td>
              <td>
                {(channels.email?.fields ?? [])
                  .filter(({ required }) => required)
                  .map(({ name }) => (
                    <code key={name} class="field-name">
                      {name}
                    </code>
                  ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

export function TemplateView({ type }: { type: string }) {
  const { data, error, reload } = useKinds()
  const kind = data?.find(({ template_type }) => template_type === type)
  return (
    <>
      <p>
        <a href={hrefOf('/templates')}>← Templates</a>
      </p>
      <h1>{words(type)}</h1>
      {error && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading lines={8} label="Loading template" />}
      {data !== undefined && kind === undefined && <Problem error={new Error('There is no such template type.')} />}
      {kind && <Preview key={type} kind={kind} />}
    </>
  )
}
