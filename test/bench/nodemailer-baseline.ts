/** The baseline, as a process of its own: nodemailer's pool over the same mails, with TCP_NODELAY, which it does not set by itself. */
import { connect } from 'node:net'
import { createTransport, type TransportOptions } from 'nodemailer'
import { benchMail } from './bench-mail.ts'

const [port, count] = process.argv.slice(2).map(Number) as [number, number]

const transport = createTransport({
  pool: true,
  host: '127.0.0.1',
  port,
  maxConnections: 20,
  maxMessages: Number.POSITIVE_INFINITY,
  ignoreTLS: true,
  getSocket: (_options: unknown, callback: (error: Error | null, socket?: object) => void) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('error', (error) => callback(error))
    socket.once('connect', () => callback(null, { connection: socket }))
  },
} as TransportOptions)

/** Keeps the pool busy without filling its unbounded queue. */
const IN_FLIGHT = 100

async function sendAll(total: number): Promise<void> {
  let next = 0
  async function worker(): Promise<void> {
    while (next < total) {
      const { recipient, template_data: data } = benchMail(next++)
      await transport.sendMail({
        from: { name: '', address: 'no-reply@example.org' },
        to: { name: '', address: recipient },
        subject: data.subject,
        text: data.body,
        html: data.html_body,
      })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}

await sendAll(Math.min(500, count))
process.send?.('warm')
await new Promise((resolve) => process.once('message', resolve))
const cpu = process.cpuUsage()
const startedAt = performance.now()
await sendAll(count)
const { user, system } = process.cpuUsage(cpu)
process.send?.({ seconds: (performance.now() - startedAt) / 1_000, cpuMs: (user + system) / 1_000 })
transport.close()
process.disconnect()
