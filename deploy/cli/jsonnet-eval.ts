import { readFileSync } from 'node:fs'
import { messageOf } from '#libs/errors'
import type { ChannelId } from '#libs/messages'
import { renderMessage, sampleData } from '#libs/templates'
import type { OutgoingMail } from '../../services/courier/channels/channel.ts'
import { DEFAULT_BODY } from '../../services/courier/channels/http/default-body.ts'
import { contextOf, extrasOf } from '../../services/courier/channels/http/template-context.ts'
import { openPatientEngine } from './jsonnet-files.ts'

export interface EvaluateOptions {
  readonly templateType: string
  readonly channel: ChannelId
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

function sampleMail({ templateType, channel }: EvaluateOptions): OutgoingMail {
  const templateData = sampleData(templateType, channel)
  return {
    messageId: '0198f6c2-4e1b-7d3a-9c5e-2f7a1b8d6e40',
    projectId: '00000000-0000-4000-8000-000000000000',
    messageType: channel,
    templateType,
    templateData,
    requestHeaders: { 'Accept-Language': ['en'] },
    dispatch: 1,
    recipient: String(templateData.to),
    ...renderMessage({ templateType, channel, data: templateData }),
    date: new Date(0),
    deadline: 0,
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
