/** Light, dark or as the system has it; remembered in this browser. */
import { effect, signal } from '@preact/signals'

type Theme = 'system' | 'light' | 'dark'
const NEXT: Record<Theme, Theme> = { system: 'dark', dark: 'light', light: 'system' }
const KEY = 'postrider-theme'

export const theme = signal<Theme>(stored())

function stored(): Theme {
  const value = localStorage.getItem(KEY)
  return value === 'light' || value === 'dark' ? value : 'system'
}

export function toggleTheme(): void {
  theme.value = NEXT[theme.value]
  localStorage.setItem(KEY, theme.value)
}

effect(() => {
  document.documentElement.dataset.theme = theme.value
})
