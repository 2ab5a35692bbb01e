/** Messages as they change, over the API's event stream; the browser reconnects and says what it saw last. */
import { useEffect, useState } from 'preact/hooks'
import { type ListedMessage, MESSAGES } from './message.ts'

const MOST_ROWS = 200

export interface Live {
  readonly messages: readonly ListedMessage[]
  readonly isConnected: boolean
}

/** @param query what the list shows; undefined while nobody follows */
export function useLive(query: string | undefined): Live {
  const [messages, setMessages] = useState<readonly ListedMessage[]>([])
  const [isConnected, setConnected] = useState(false)
  useEffect(() => {
    setMessages([])
    if (query === undefined) return
    const source = new EventSource(`${MESSAGES}/stream?${query}`)
    source.onopen = () => setConnected(true)
    source.onerror = () => setConnected(false)
    source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const message = JSON.parse(data) as ListedMessage
      setMessages((before) => [message, ...before.filter(({ id }) => id !== message.id)].slice(0, MOST_ROWS))
    })
    return () => source.close()
  }, [query])
  return { messages, isConnected }
}

/** What came live, over what was loaded. */
export function merged(live: readonly ListedMessage[], loaded: readonly ListedMessage[]): ListedMessage[] {
  const fresh = new Set(live.map(({ id }) => id))
  return [...live, ...loaded.filter(({ id }) => !fresh.has(id))].toSorted((a, b) =>
    a.created_at < b.created_at ? 1 : -1,
  )
}
