import type { Static } from 'typebox'
import { clients, courier } from './schema-courier.ts'
import type { SchemaNode } from './schema-node.ts'
import { secrets, selfservice } from './schema-ory.ts'
import { flag, open } from './schema-parts.ts'
import { postrider } from './schema-postrider.ts'

const schema = open('Configuration of Postrider: the shape of a Kratos configuration, and `postrider` beside it.', {
  courier,
  clients,
  secrets,
  selfservice,
  dev: flag('Shows subjects and bodies in the admin API. Never in production.'),
  postrider,
})

/** The one source of keys, types, defaults and descriptions. */
export const CONFIG_SCHEMA: SchemaNode & object = schema as object

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** Complete: every key with a default has a value. */
export type Config = DeepReadonly<Static<typeof schema>>
