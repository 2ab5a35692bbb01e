/** Sends one mail by the URI that it is given and prints what became of it: for what only holds from the start of a process. */
import { openChannel, outgoingMail, sendBy } from './smtp-fixture.ts'

const channel = openChannel(process.argv[2] ?? '')
const { outcome, failure } = await sendBy(channel, outgoingMail('ada@example.org'))
await channel.close()
console.log(failure?.message ?? outcome)
