/** The reference of template types, made from the table that the code itself reads. */
import { CHANNELS, TEMPLATE_TYPES } from '#libs/messages'
import { type FieldShape, TEMPLATE_KINDS, type TemplateField } from './template-types.ts'

const SHAPES: Record<FieldShape, string> = {
  text: 'string',
  integer: 'integer',
  time: 'string, RFC 3339',
  map: 'object',
}

/** A Markdown table: one row per type, channel and field. Ends with a newline. */
export function describeTemplateTypes(): string {
  const rows = TEMPLATE_TYPES.flatMap((templateType) =>
    CHANNELS.flatMap((channel) =>
      (TEMPLATE_KINDS[templateType].fields[channel] ?? []).map((field) =>
        [`\`${templateType}\``, channel, ...cellsOf(field)].join(' | '),
      ),
    ),
  )
  const head = [
    'type | channel | Go field | JSON key | type of the value | required',
    '--- | --- | --- | --- | --- | ---',
  ]
  return [...head, ...rows].map((row) => `| ${row} |\n`).join('')
}

function cellsOf({ go, json, also, shape, required }: TemplateField): string[] {
  const key = also === undefined ? `\`${json}\`` : `\`${json}\` or \`${also}\``
  return [`\`.${go}\``, key, SHAPES[shape], required ? 'yes' : 'no']
}
