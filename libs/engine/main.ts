/** A process of the engine: one instance, one job at a time. The clock that ends a job belongs to the parent, never to the code that runs. */
import type { EngineJob } from './answer.ts'
import { openInstance } from './instance.ts'
import { loadModule } from './load-module.ts'
import { endWithParent } from './watch-parent.ts'

/** First runs of code are several times slower than later ones; they happen here, before anyone waits. */
const WARM_UP: readonly EngineJob[] = [
  { operation: 'jsonnet', inputs: ['function(ctx) { to: ctx.to }', '{"to":"a"}', '{}'] },
  { operation: 'render', inputs: ['{"a":"{{ .To | upper }}"}', 'a', 'text', '{"To":"a"}', '["To"]'] },
  {
    operation: 'render',
    inputs: ['{"a":"<a href=\\"{{ .To }}\\">{{ .To }}</a>"}', 'a', 'html', '{"To":"a"}', '["To"]'],
  },
]

// A signal to stop is for the parent: it drains, and may need answers to do so. This process ends when the parent does.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
endWithParent()

const [memoryMiB, outputKiB] = process.argv.slice(2).map(Number) as [number, number]
const instance = openInstance(loadModule(memoryMiB), { memoryMiB, outputKiB })
for (const job of WARM_UP) {
  const { answer } = instance.run(job)
  if (!answer.ok) throw new Error(`the engine does not work: ${answer.message}`)
}
process.on('message', (job: EngineJob) => process.send!(instance.run(job)))
process.send!('ready')
