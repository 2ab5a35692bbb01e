/** Takes the filtered list away as a file, page by page. */
import { get } from '../../api.ts'
import { type ListedMessage, MESSAGES } from './message.ts'

const MOST = 50_000
const PAGE = 500
const COLUMNS = [
  'id',
  'state',
  'recipient',
  'template_type',
  'channel',
  'project_id',
  'send_count',
  'created_at',
  'updated_at',
  'expires_at',
  'next_attempt_at',
  'trace_id',
  'last_error',
] as const

export type ExportFormat = 'csv' | 'ndjson'

/** @returns how many messages the file holds; `onCount` is told on the way */
export async function exportMessages(
  query: URLSearchParams,
  format: ExportFormat,
  onCount: (count: number) => void,
): Promise<number> {
  const lines: string[] = format === 'csv' ? [COLUMNS.join(',')] : []
  const first = new URLSearchParams(query)
  first.set('page_size', String(PAGE))
  first.delete('page_token')
  let count = 0
  for (let path: string | undefined = `${MESSAGES}?${first}`; path !== undefined && count < MOST; ) {
    const page: { body: ListedMessage[]; next: string | undefined } = await get<ListedMessage[]>(path)
    for (const message of page.body) lines.push(format === 'csv' ? csvLine(message) : JSON.stringify(message))
    count += page.body.length
    onCount(count)
    path = page.next
  }
  download(`messages.${format}`, `${lines.join('\n')}\n`, format === 'csv' ? 'text/csv' : 'application/x-ndjson')
  return count
}

function csvLine(message: ListedMessage): string {
  return COLUMNS.map((column) => csvCell(message[column])).join(',')
}

/** RFC 4180. A cell that a spreadsheet would take for a formula gets a quote before it. */
export function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function download(name: string, content: string, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  URL.revokeObjectURL(url)
}
