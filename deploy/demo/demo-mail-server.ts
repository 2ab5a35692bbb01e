/** A mail server for as long as the demo sends: takes, defers and refuses by recipient, and shows no mail to anybody. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Answer } from './outcomes.ts'

export interface DemoMailServer extends AsyncDisposable {
  readonly port: number
  /** Connections so far. */
  readonly connections: () => number
}

export interface DemoMailServerOptions {
  readonly user: string
  readonly password: string
  /** undefined: the mail is taken. */
  readonly answerFor: (recipient: string) => Answer | undefined
}

const EXTENSIONS = ['demo', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'SIZE 20000000', 'AUTH PLAIN']
/** A server takes its time, so that figures of speed have something to show. */
const LONGEST_MS = 80

/** Listens on 127.0.0.1. Disposing drops every connection. */
export async function openDemoMailServer(options: DemoMailServerOptions): Promise<DemoMailServer> {
  const sockets = new Set<Socket>()
  const counts = new Map<string, number>()
  let connections = 0
  const server = createServer({ noDelay: true }, (socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
    serve(socket, options, counts)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** @param counts how often each recipient was put off */
function serve(
  socket: Socket,
  { user, password, answerFor }: DemoMailServerOptions,
  counts: Map<string, number>,
): void {
  const login = Buffer.from(`\0${user}\0${password}`).toString('base64')
  let recipient = ''
  let rest = ''
  let isBody = false
  let isLogin = false
  const say = (line: string): void => {
    if (line === 'CLOSE') socket.destroy()
    else socket.write(`${line}\r\n`)
  }
  const checkLogin = (given: string): void =>
    say(given === login ? '235 2.7.0 Welcome' : '535 5.7.8 Wrong user or password')

  /** What the recipient meets at this point; undefined where nothing stands against the mail. */
  function fault(at: Answer['at']): string | undefined {
    const answer = answerFor(recipient)
    if (answer?.at !== at) return undefined
    const count = (counts.get(recipient) ?? 0) + 1
    counts.set(recipient, count)
    return count > (answer.times ?? Number.POSITIVE_INFINITY) ? undefined : answer.line
  }

  function onCommand(line: string): void {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        return say(EXTENSIONS.map((name, i) => `250${i === EXTENSIONS.length - 1 ? ' ' : '-'}${name}`).join('\r\n'))
      case 'AUTH':
        isLogin = line.split(' ').length < 3
        return isLogin ? say('334 ') : checkLogin(line.split(' ')[2] ?? '')
      case 'RCPT':
        recipient = /<([^>]*)>/.exec(line)?.[1] ?? ''
        return say(fault('RCPT') ?? '250 2.1.5 Ok')
      case 'DATA':
        isBody = true
        return say('354 Go ahead')
      case 'QUIT':
        say('221 2.0.0 Bye')
        return void socket.end()
      default:
        return say('250 2.0.0 Ok')
    }
  }

  function onLine(line: string): void {
    if (isLogin) {
      isLogin = false
      checkLogin(line)
    } else if (!isBody) onCommand(line)
    else if (line === '.') {
      isBody = false
      const answer = fault('DOT') ?? `250 2.0.0 Ok: queued as ${crypto.randomUUID().slice(0, 8).toUpperCase()}`
      setTimeout(() => say(answer), Math.random() * LONGEST_MS)
    }
  }

  say('220 demo ESMTP')
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
