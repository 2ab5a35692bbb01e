/** A client of server-sent events that shows every block as it came. */

export interface SentEvent {
  readonly id: string | undefined
  readonly event: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as a user's script would
  readonly data: any
}

export interface EventClient extends AsyncDisposable {
  readonly status: number
  readonly headers: Headers
  readonly events: readonly SentEvent[]
  /** What a reconnect sends. */
  readonly lastEventId: () => string | undefined
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>
}

/** Reads until disposed. */
export async function openEventClient(url: string, lastEventId?: string): Promise<EventClient> {
  const stop = new AbortController()
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const response = await fetch(url, { headers, signal: stop.signal })
  const events: SentEvent[] = []
  let last: string | undefined
  const ended = read(response, (event) => {
    last = event.id ?? last
    events.push(event)
  }).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  return {
    status: response.status,
    headers: response.headers,
    events,
    lastEventId: () => last,
    ended,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await ended
    },
  }
}

async function read(response: Response, onEvent: (event: SentEvent) => void): Promise<void> {
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      onEvent(parse(text.slice(0, end)))
      text = text.slice(end + 2)
    }
  }
}

function parse(block: string): SentEvent {
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
  const data = field('data')
  return { id: field('id'), event: field('event'), data: data === undefined ? undefined : JSON.parse(data) }
}
