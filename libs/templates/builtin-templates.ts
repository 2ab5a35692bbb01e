/** The built-in templates: one folder per type under `builtin/`, named as Ory names them, compiled once per type. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChannelId } from '#libs/messages'
import { type CompiledTemplate, compileHtml, compileText } from './compile-template.ts'
import { fieldsOf, templateKind } from './template-types.ts'

export interface EmailTemplates {
  readonly subject: CompiledTemplate
  readonly text: CompiledTemplate
  readonly html: CompiledTemplate
}

const BUILTIN = join(import.meta.dirname, 'builtin')

const emails = new Map<string, EmailTemplates>()
const texts = new Map<string, CompiledTemplate>()

/** @throws TEMPLATE_UNKNOWN */
export function builtinEmail(templateType: string): EmailTemplates {
  return cached(emails, templateType, () => {
    const fields = fieldsOf(templateType, 'email')
    return {
      subject: compileText(source(templateType, 'email.subject.gotmpl'), fields),
      text: compileText(source(templateType, 'email.body.plaintext.gotmpl'), fields),
      html: compileHtml(source(templateType, 'email.body.gotmpl'), fields),
    }
  })
}

/** @throws TEMPLATE_UNKNOWN */
export function builtinSms(templateType: string): CompiledTemplate {
  return cached(texts, templateType, () =>
    compileText(source(templateType, 'sms.body.gotmpl'), fieldsOf(templateType, 'sms')),
  )
}

/** @throws TEMPLATE_UNKNOWN */
export function builtinPart(templateType: string, channel: ChannelId, part: keyof EmailTemplates): CompiledTemplate {
  return channel === 'sms' ? builtinSms(templateType) : builtinEmail(templateType)[part]
}

function source(templateType: string, file: string): string {
  return readFileSync(join(BUILTIN, templateKind(templateType).folder ?? '', file), 'utf8')
}

function cached<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key)
  if (known !== undefined) return known
  const made = make()
  cache.set(key, made)
  return made
}
