import type { Config } from '#libs/config'
import { openGuard, openResources } from '#libs/resources'
import { openTemplates, type TemplateProblem } from '#libs/templates'
import { openPatientEngine } from './jsonnet-files.ts'

/** Loads every template that the configuration names and renders it with sample data. */
export async function checkTemplates({ courier, clients }: Config): Promise<TemplateProblem[]> {
  const { disallow_private_ip_ranges: disallowPrivate, private_ip_exception_urls: exceptionUrls } = clients.http
  const resources = openResources({ guard: openGuard({ disallowPrivate, exceptionUrls }) })
  await using engine = openPatientEngine()
  const { templates, template_override_path: overridePath } = courier
  return await openTemplates({ engine, resources, templates, overridePath }).validate()
}
