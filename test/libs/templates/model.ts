/** A small model of every shape, for templates that only tests have. */
import type { TemplateField } from '#libs/templates'

export const FIELDS: readonly TemplateField[] = [
  { go: 'Name', json: 'name', shape: 'text', required: false, sensitive: false },
  { go: 'ExpiresInMinutes', json: 'expires_in_minutes', shape: 'integer', required: false, sensitive: false },
  { go: 'Identity', json: 'identity', shape: 'map', required: false, sensitive: false },
]
