/** A thread of the engine: one instance, one job at a time. The clock that ends a job belongs to the parent, never to the code that runs. */
import { parentPort, workerData } from 'node:worker_threads'
import type { EngineJob, EngineLimits } from './answer.ts'
import { openInstance } from './instance.ts'

const { module, limits } = workerData as { module: WebAssembly.Module; limits: EngineLimits }

/** First runs of code are several times slower than later ones; they happen here, before anyone waits. */
const WARM_UP: readonly EngineJob[] = [
  { operation: 'jsonnet', inputs: ['function(ctx) { to: ctx.to }', '{"to":"a"}', '{}'] },
  { operation: 'render', inputs: ['{"a":"{{ .To | upper }}"}', 'a', 'text', '{"To":"a"}', '["To"]'] },
  {
    operation: 'render',
    inputs: ['{"a":"<a href=\\"{{ .To }}\\">{{ .To }}</a>"}', 'a', 'html', '{"To":"a"}', '["To"]'],
  },
]

const port = parentPort!
const instance = openInstance(module, limits)
for (const job of WARM_UP) {
  const { answer } = instance.run(job)
  if (!answer.ok) throw new Error(`the engine does not work: ${answer.message}`)
}
port.on('message', (job: EngineJob) => port.postMessage(instance.run(job)))
port.postMessage('ready')
