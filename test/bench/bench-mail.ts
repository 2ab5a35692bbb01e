/** The mail that both sides send: 2 KB, text and HTML. */
const LINE = 'The quick brown fox jumps over the lazy dog, again and again. '
const TEXT = LINE.repeat(17).slice(0, 1_000)
const HTML = `<p>${LINE.repeat(17).slice(0, 990)}</p>`

export interface BenchMail {
  readonly recipient: string
  readonly template_type: 'stub'
  readonly template_data: {
    readonly to: string
    readonly subject: string
    readonly body: string
    readonly html_body: string
  }
}

export function benchMail(index: number): BenchMail {
  const recipient = `user-${index}@example.org`
  return {
    recipient,
    template_type: 'stub',
    template_data: { to: recipient, subject: `Benchmark mail ${index}`, body: TEXT, html_body: HTML },
  }
}
