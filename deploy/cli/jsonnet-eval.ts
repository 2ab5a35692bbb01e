import { readFileSync } from 'node:fs'
import { messageOf } from '#libs/errors'
import { DEFAULT_BODY } from '../../services/courier/channels/http/default-body.ts'
import { contextOf, extrasOf } from '../../services/courier/channels/http/template-context.ts'
import { openPatientEngine } from './jsonnet-files.ts'
import { type SampleOf, sampleMail } from './sample-mail.ts'

export interface EvaluateOptions extends SampleOf {
  /** A JSON file to take as the context. */
  readonly ctx?: string
}

/** Prints what a template makes of a context, the very bytes that would be sent. @throws Error in the words of Jsonnet */
export async function evaluateFile(file: string | undefined, options: EvaluateOptions): Promise<void> {
  const source = file === undefined ? DEFAULT_BODY : readFileSync(file, 'utf8')
  const mail = sampleMail(options)
  const context = options.ctx === undefined ? contextOf(mail) : readContext(options.ctx)
  await using engine = openPatientEngine()
  const answer = await engine.evaluate(source, context, extrasOf(mail))
  if (answer.ok) {
    process.stdout.write(answer.json)
  } else if (answer.kind === 'cancel') {
    console.error('the template cancels this message: nothing would be sent')
  } else {
    throw new Error(answer.message.replaceAll('template.jsonnet', file ?? 'the default body').trim())
  }
}

/** Checked here, where the error can name the file. */
function readContext(file: string): string {
  const text = readFileSync(file, 'utf8')
  try {
    JSON.parse(text)
  } catch (error) {
    throw new Error(`${file}: no JSON: ${messageOf(error)}`)
  }
  return text
}
