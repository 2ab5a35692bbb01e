/** One short line about what an action did; read out, and gone after a while. */
import { signal } from '@preact/signals'

const SHOWN_MS = 6_000
const shown = signal<{ readonly text: string; readonly tone: 'good' | 'bad' } | undefined>(undefined)
let timer: ReturnType<typeof setTimeout> | undefined

export function tell(text: string, tone: 'good' | 'bad' = 'good'): void {
  shown.value = { text, tone }
  clearTimeout(timer)
  timer = setTimeout(() => {
    shown.value = undefined
  }, SHOWN_MS)
}

/** Runs an action; what it throws is told. @returns whether it succeeded */
export async function attempt(action: () => Promise<string | undefined>): Promise<boolean> {
  try {
    const text = await action()
    if (text !== undefined) tell(text)
    return true
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error), 'bad')
    return false
  }
}

export function Toast() {
  return (
    <output class="toast" data-tone={shown.value?.tone} hidden={shown.value === undefined}>
      {shown.value?.text}
    </output>
  )
}
