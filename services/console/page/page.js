/** The Email Delivery page: lists messages, newest first, again every two seconds; a click shows the attempts. */

const REFRESH_MS = 2_000
const HEALTH_MS = 5_000
const API = 'admin/courier/messages'
const TONES = {
  sent: 'good',
  delivered: 'good',
  deferred: 'wait',
  held: 'wait',
  queued: '',
  cancelled: '',
  superseded: '',
}

const element = (id) => document.getElementById(id)
const filter = element('filter')
let page = ''
let shown

function make(tag, text, attributes = {}) {
  const node = document.createElement(tag)
  node.textContent = text ?? ''
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  return node
}

function cell(content, className = '') {
  const node = make('td', typeof content === 'string' ? content : '', className === '' ? {} : { class: className })
  if (typeof content !== 'string') node.append(content)
  return node
}

function badge(state) {
  return make('span', state, { class: 'badge', 'data-tone': TONES[state] ?? 'bad' })
}

function instant(iso) {
  if (!iso) return make('span', '')
  return make('time', relative(Date.parse(iso) - Date.now()), { datetime: iso, title: new Date(iso).toLocaleString() })
}

function relative(ms) {
  const seconds = Math.round(Math.abs(ms) / 1_000)
  const [amount, unit] =
    seconds < 90
      ? [seconds, 's']
      : seconds < 5_400
        ? [Math.round(seconds / 60), 'min']
        : [Math.round(seconds / 3_600), 'h']
  if (unit === 'h' && amount > 48) return new Date(Date.now() + ms).toLocaleDateString()
  return ms > 0 ? `in ${amount} ${unit}` : `${amount} ${unit} ago`
}

function query() {
  const parameters = new URLSearchParams()
  for (const [name, value] of new FormData(filter)) if (value !== '') parameters.set(name, value)
  if (page !== '') parameters.set('page_token', page)
  return parameters
}

async function get(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' } })
  const body = await response.json()
  if (!response.ok) throw new Error(body.error?.reason ?? body.error?.message ?? `HTTP ${response.status}`)
  return { body, next: nextOf(response.headers.get('link')) }
}

function nextOf(link) {
  const target = /<([^>]+)>; rel="next"/.exec(link ?? '')?.[1]
  return target === undefined ? undefined : (new URL(target, location.href).searchParams.get('page_token') ?? undefined)
}

function messageRow(message) {
  const row = make('tr', '', { tabindex: '0' })
  row.append(
    cell(badge(message.state)),
    cell(message.recipient),
    cell(make('code', message.template_type)),
    cell(String(message.send_count), 'number'),
    cell(message.last_error ?? '', 'error'),
    cell(instant(message.next_attempt_at)),
    cell(instant(message.created_at)),
    cell(make('code', message.trace_id?.slice(0, 8), { title: message.trace_id ?? '' })),
  )
  row.addEventListener('click', () => open(message.id))
  row.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') open(message.id)
  })
  return row
}

async function refresh() {
  try {
    const { body, next } = await get(`${API}?${query()}`)
    const focused = [...element('messages').children].indexOf(document.activeElement)
    element('messages').replaceChildren(...body.map(messageRow))
    if (focused >= 0) element('messages').children[focused]?.focus()
    element('empty').hidden = body.length > 0
    element('next').disabled = next === undefined
    element('next').dataset.page = next ?? ''
    element('first').disabled = page === ''
    element('refreshed').textContent = `updated ${new Date().toLocaleTimeString()}`
    element('problem').hidden = true
    if (shown !== undefined) await showDetail(shown)
  } catch (error) {
    element('problem').textContent = `Cannot load messages: ${error.message}`
    element('problem').hidden = false
  }
}

async function open(id) {
  shown = id
  await showDetail(id)
  element('detail').showModal()
}

async function showDetail(id) {
  const { body } = await get(`${API}/${id}`)
  element('blocked').textContent = blockedWords(body.blocked_by)
  element('blocked').hidden = !body.blocked_by
  const facts = [
    ['State', body.state],
    ['Recipient', body.recipient],
    ['Subject', body.subject],
    ['Error', body.last_error],
    ['Template', body.template_type],
    ['Attempts', String(body.send_count)],
    ['Next attempt', when(body.next_attempt_at)],
    ['Created', when(body.created_at)],
    ['Updated', when(body.updated_at)],
    ['Expires', when(body.expires_at)],
    ['Possibly sent twice', body.possibly_delivered && body.send_count > 1 ? 'yes' : ''],
    ['Provider id', body.provider_message_id],
    ['Message id', body.id],
    ['Trace id', body.trace_id],
    ['Project', body.project_id],
    ['Body', body.body],
  ]
  element('facts').replaceChildren(
    ...facts.filter(([, value]) => value).flatMap(([name, value]) => [make('dt', name), make('dd', value)]),
  )
  element('dispatches').replaceChildren(...(body.dispatches ?? []).map(dispatchRow))
}

function blockedWords(blocked) {
  if (!blocked) return ''
  const isAhead = Date.parse(blocked.next_probe_at) > Date.now()
  const look = isAhead ? `next look at ${when(blocked.next_probe_at)}` : 'another look is under way'
  return `Waits: ${blocked.message}, since ${when(blocked.since)}, ${look}`
}

function when(iso) {
  return iso ? new Date(iso).toLocaleString() : ''
}

function dispatchRow(dispatch) {
  const row = make('tr', '')
  row.append(
    cell(String(dispatch.attempt), 'number'),
    cell(badge(dispatch.status === 'success' ? 'sent' : 'failed')),
    cell(instant(dispatch.created_at)),
    cell(dispatch.duration_ms === null ? '' : `${dispatch.duration_ms} ms`, 'number'),
    cell([dispatch.reply_code, dispatch.enhanced_code].filter((code) => code !== null).join(' ')),
    cell(dispatch.error?.message ?? '', 'error'),
    cell(dispatch.decision ?? ''),
  )
  return row
}

async function showHealth() {
  const node = element('health')
  try {
    const { parts } = await fetch('health/ready').then((response) => response.json())
    const down = Object.entries(parts ?? {}).filter(([, part]) => !part.ok)
    node.dataset.ok = String(down.length === 0)
    node.textContent =
      down.length === 0 ? '● all parts are up' : `● not ready: ${down.map(([name]) => name).join(', ')}`
  } catch (error) {
    node.dataset.ok = 'false'
    node.textContent = `● console is not reachable (${error.message})`
  }
}

function turnTo(token) {
  page = token
  refresh()
}

filter.addEventListener('submit', (event) => {
  event.preventDefault()
  turnTo('')
})
filter.addEventListener('change', () => turnTo(''))
element('first').addEventListener('click', () => turnTo(''))
element('next').addEventListener('click', () => turnTo(element('next').dataset.page))
element('detail').addEventListener('close', () => {
  shown = undefined
})

/** Again and again, one after the other, and not while nobody looks. */
function repeat(task, everyMs) {
  const next = () => setTimeout(() => (document.hidden ? next() : task().finally(next)), everyMs)
  task().finally(next)
}
repeat(refresh, REFRESH_MS)
repeat(showHealth, HEALTH_MS)
