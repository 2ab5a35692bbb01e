/** Asks before unsaved changes are left behind: by a link of the page, or by closing the tab. */
import { useEffect } from 'preact/hooks'
import { navigate } from '../../location.ts'
import { confirm } from '../../parts/confirm.tsx'
import { dirtyProjects, discard } from './drafts.ts'

// Whatever view is open: a draft may wait behind it.
window.addEventListener('beforeunload', (event) => {
  if (dirtyProjects().length > 0) event.preventDefault()
})

export function useLeaveGuard(): void {
  useEffect(() => {
    // Before the page's own listener, which changes the view.
    document.addEventListener('click', askBefore, { capture: true })
    return () => document.removeEventListener('click', askBefore, { capture: true })
  }, [])
}

async function askBefore(event: MouseEvent): Promise<void> {
  if (dirtyProjects().length === 0) return
  const link = event.target instanceof Element ? event.target.closest('a') : null
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
  if (link === null || !isPlain || link.origin !== location.origin || link.target !== '') return
  if (link.pathname === location.pathname || link.getAttribute('href')?.startsWith('#')) return
  event.preventDefault()
  const isSure = await confirm('Leave without saving?', 'Your changes to the configuration are lost.', 'Leave')
  if (!isSure) return
  for (const project of dirtyProjects()) discard(project)
  navigate(link.pathname + link.search)
}
