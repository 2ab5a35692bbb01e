import type { Config } from '#libs/config'
import { openResources } from '#libs/resources'
import { openTemplates, type TemplateProblem } from '#libs/templates'
import { httpGuard } from '../../services/courier/open-channels.ts'
import { openPatientEngine } from './jsonnet-files.ts'

/** Loads every template that the configuration names and renders it with sample data. */
export async function checkTemplates({ courier, clients }: Config): Promise<TemplateProblem[]> {
  const resources = openResources({ guard: httpGuard(clients) })
  await using engine = openPatientEngine()
  const { templates, template_override_path: overridePath } = courier
  return await openTemplates({ engine, resources, templates, overridePath }).validate()
}
