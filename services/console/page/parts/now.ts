import { signal } from '@preact/signals'

/** The time that relative instants are told from; moves once in five seconds, so that a table does not flicker. */
export const now = signal(Date.now())

setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 5_000)
