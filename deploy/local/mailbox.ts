/** The dev mailbox as a process of its own, so that its work is not on the books of `up`. */
import { once } from 'node:events'
import { openMailbox } from './mailbox-server.ts'

{
  await using mailbox = await openMailbox({
    smtpPort: Number(process.env.POSTRIDER_MAILBOX_SMTP_PORT ?? 4425),
    httpPort: Number(process.env.POSTRIDER_MAILBOX_HTTP_PORT ?? 4426),
  })
  console.log(`mailbox: SMTP on 127.0.0.1:${mailbox.smtpPort}, HTTP on 127.0.0.1:${mailbox.httpPort}`)
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
}
process.exit(0)
