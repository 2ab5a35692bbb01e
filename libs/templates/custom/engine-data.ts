import type { TemplateJob } from '#libs/engine'
import { modelValue } from '../compile-template.ts'
import type { TemplateField } from '../template-types.ts'

type Data = Readonly<Record<string, unknown>>

/** Ory hands the headers of the user's request to templates under this name, and to Jsonnet as `ctx.request_headers`. */
const REQUEST_HEADERS = 'UserRequestHeaders'

/** The model of a message as Go sees it: every field by its Go name, and no field besides. */
export function engineData(
  fields: readonly TemplateField[],
  data: Data,
  requestHeaders: Data = {},
): Pick<TemplateJob, 'dataJson' | 'fields'> {
  const model = Object.fromEntries(fields.map((field) => [field.go, jsonOf(modelValue(field, data))]))
  return {
    dataJson: JSON.stringify({ ...model, [REQUEST_HEADERS]: requestHeaders }),
    fields: [...fields.map(({ go }) => go), REQUEST_HEADERS],
  }
}

function jsonOf(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
