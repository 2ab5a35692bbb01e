/** Where the page is: path and query of the URL, as signals. Every filter lives there, so that a link shows what its sender saw. */
import { computed, signal } from '@preact/signals'

const here = signal(read())

function read(): { path: string; query: URLSearchParams } {
  return { path: window.location.pathname, query: new URLSearchParams(window.location.search) }
}

window.addEventListener('popstate', () => {
  here.value = read()
})

export const path = computed(() => here.value.path)
export const query = computed(() => here.value.query)

/** Id or slug of the project that everything is shown of; empty for all. */
export const project = computed(() => query.value.get('project') ?? '')

/** `to` in this page; the project stays unless `to` names one. */
export function hrefOf(to: string, parameters: Readonly<Record<string, string>> = {}): string {
  const merged = new URLSearchParams(parameters)
  if (!merged.has('project') && project.value !== '') merged.set('project', project.value)
  for (const [name, value] of [...merged]) if (value === '') merged.delete(name)
  return merged.size === 0 ? to : `${to}?${merged}`
}

export function navigate(href: string, { replace = false }: { replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
  here.value = read()
  if (!replace) window.scrollTo(0, 0)
}

/** Sets parameters of the query; empty ones go. */
export function setQuery(changes: Readonly<Record<string, string>>, options?: { replace?: boolean }): void {
  const next = new URLSearchParams(query.value)
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name)
    else next.set(name, value)
  }
  navigate(next.size === 0 ? path.value : `${path.value}?${next}`, options)
}

/** Plain clicks on links of this page change the view without a request; everything else is the browser's. */
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
  if (link === null || !isPlain || event.defaultPrevented) return
  if (link.origin !== window.location.origin || link.target !== '' || link.hasAttribute('download')) return
  if (link.dataset.native !== undefined || link.getAttribute('href')?.startsWith('#')) return
  event.preventDefault()
  navigate(link.pathname + link.search)
})
