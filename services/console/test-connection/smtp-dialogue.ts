/** Question and answer with a mail server, one at a time. */
import type { Socket } from 'node:net'
import { openReplyReader, type SmtpReply } from '#libs/smtp'
import { StepFailed } from './steps.ts'

export interface Dialogue {
  /** Sends `line`, or nothing to hear the greeting. @throws StepFailed where no reply comes in time */
  readonly ask: (line: string | undefined) => Promise<SmtpReply>
  /** Gives the socket for TLS to be put over it. @throws StepFailed where more was sent than was asked for */
  readonly detach: () => Socket
  readonly attach: (socket: Socket) => void
  /** Says QUIT, and does not wait for the answer. */
  readonly end: () => void
}

const REPLY_MS = 10_000

export function openDialogue(first: Socket): Dialogue {
  const reader = openReplyReader()
  let socket = first
  let onReply: (reply: SmtpReply | 'garbage' | 'closed') => void = () => undefined

  const onData = (chunk: Buffer): void => {
    reader.push(chunk)
    const reply = reader.next()
    if (reply !== undefined) onReply(reply)
  }
  const onClose = (): void => onReply('closed')

  function attach(next: Socket): void {
    socket = next
    // Also after its end an error has somebody who hears it.
    socket.on('data', onData).on('close', onClose).on('end', onClose).on('error', onClose)
  }

  attach(first)
  return {
    ask: (line) =>
      new Promise((done, failed) => {
        const timer = setTimeout(
          () => failed(new StepFailed(`No reply within ${REPLY_MS / 1_000} s.`, WRONG_PORT)),
          REPLY_MS,
        )
        onReply = (reply) => {
          clearTimeout(timer)
          onReply = () => undefined
          if (reply === 'closed') failed(new StepFailed('The server closed the connection.', WRONG_PORT))
          else if (reply === 'garbage') failed(new StepFailed('The server does not speak SMTP.', WRONG_PORT))
          else done(reply)
        }
        if (socket.destroyed) return onReply('closed')
        if (line !== undefined) socket.write(`${line}\r\n`)
      }),
    detach: () => {
      if (!reader.isEmpty())
        throw new StepFailed(
          'The server sent bytes between STARTTLS and TLS.',
          'Someone may be tampering with the connection.',
        )
      return socket.off('data', onData).off('close', onClose).off('end', onClose).off('error', onClose)
    },
    attach,
    end: () => {
      if (!socket.destroyed) socket.end('QUIT\r\n')
    },
  }
}

const WRONG_PORT = 'Check the port: 587 with smtp://, 465 with smtps://, and whether the server lets this machine in.'
