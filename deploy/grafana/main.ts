/** Writes dashboards/*.json from their source: `node deploy/grafana/main.ts && npx biome check --write deploy/grafana`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DASHBOARDS, dashboardText } from './dashboards.ts'

const folder = join(import.meta.dirname, 'dashboards')
await mkdir(folder, { recursive: true })
for (const [file, dashboard] of Object.entries(DASHBOARDS))
  await writeFile(join(folder, file), dashboardText(dashboard))
