/** Server-sent events out of a response's bytes. */
export interface ReceivedEvent {
  /** Where a reconnect goes on; kept until another one comes. */
  readonly id: string | undefined
  readonly event: string
  /** '' for a comment: it only moves the id. */
  readonly data: string
}

export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ReceivedEvent> {
  let text = ''
  let id: string | undefined
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    // A part after the last blank line is the beginning of the next event.
    const blocks = text.split(/\r?\n\r?\n/)
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = fieldsOf(block)
      id = fields.get('id')?.[0] ?? id
      yield { id, event: fields.get('event')?.[0] ?? 'message', data: (fields.get('data') ?? []).join('\n') }
    }
  }
}

function fieldsOf(block: string): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const line of block.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
    if (name !== '') fields.set(name, [...(fields.get(name) ?? []), value])
  }
  return fields
}
