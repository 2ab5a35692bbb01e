/** Who uses the page: beyond loopback a key opens a session. */
import { signal } from '@preact/signals'
import { ApiError, get, needsKey, send } from './api.ts'

export interface Session {
  readonly name: string
  readonly role: 'viewer' | 'sender' | 'operator' | 'admin'
  readonly project: string | null
}

export const session = signal<Session | undefined>(undefined)

/** Whether the key may send, retry, cancel and reveal; the console decides, this only hides what it would refuse. */
export function mayOperate(): boolean {
  return session.value?.role === 'operator' || session.value?.role === 'admin'
}

export async function openSession(): Promise<void> {
  try {
    session.value = (await get<Session>('/session')).body
    needsKey.value = false
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error
  }
}

/** @throws ApiError with the console's words for a key that is not good */
export async function signIn(key: string): Promise<void> {
  session.value = (await send<Session>('POST', '/session', { key })).body
  needsKey.value = false
}

export async function signOut(): Promise<void> {
  await send('DELETE', '/session')
  session.value = undefined
  needsKey.value = true
}
