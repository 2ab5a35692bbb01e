/** Puts a signal into words for whoever operates the system. Method, host and status only: path, query and body may be secret. */
import type { DeliveryFailure, FailureClass } from '#libs/delivery'
import { classifySignal } from './classify-signal.ts'
import type { HttpSignal } from './http-signal.ts'

export interface RequestNames {
  readonly method: string
  readonly place: string
  /** Where the request is configured. */
  readonly setting: string
}

export function describeSignal(signal: HttpSignal, names: RequestNames): DeliveryFailure {
  const failureClass = classifySignal(signal)
  const message = messageOf(signal, failureClass, names)
  if (signal.kind !== 'status') return { class: failureClass, message }
  const { status: replyCode, retryAfterMs } = signal
  return {
    class: failureClass,
    message,
    replyCode,
    command: 'HTTP',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

function messageOf(signal: HttpSignal, failureClass: FailureClass, { method, place, setting }: RequestNames): string {
  const request = `${method} ${place}`
  switch (signal.kind) {
    case 'expired':
      return 'its lifetime ended before it could be sent'
    case 'closing':
      return 'the courier is stopping'
    case 'late':
      return 'the time of this try was over before the request could be made'
    case 'cancelled':
      return `the template of ${setting}.body cancelled the message`
    case 'template':
      return `the template of ${setting}.body ${signal.problem}`
    case 'no_template':
      return `the template of ${setting}.body cannot be loaded: ${signal.problem}`
    case 'engine':
      return signal.isBusy
        ? 'more bodies are to be made than the Jsonnet engine can make: it will be tried again'
        : `the Jsonnet engine does not work: ${signal.problem}`
    case 'unconnected':
      return `${request}: it ${signal.problem.words}${signal.problem.kind === 'network' ? ` (${setting}.url)` : ''}`
    case 'unsent':
      return `${request}: it ${signal.isTimeout ? 'took the request too slowly' : 'closed the connection while it was taking the request'}`
    case 'unanswered':
      return `${request}: it ${signal.isTimeout ? 'gave no answer in time' : 'gave no answer and closed the connection'} after the whole request had left: the message may have been delivered`
    case 'status':
      return `${request} answered ${signal.status}${remedy(signal.status, failureClass, setting)}`
  }
}

const STATUS_REMEDIES: Record<number, string | undefined> = {
  404: 'nothing is there; check the path in SETTING.url',
  405: 'it does not take this method; check SETTING.method',
  410: 'nothing is there any more; check the path in SETTING.url',
  413: 'the body is too long; shorten the template of SETTING.body',
  415: 'it does not take this format; check Content-Type in SETTING.headers',
  501: 'it does not take this method; check SETTING.method',
}

const CLASS_REMEDIES: Partial<Record<FailureClass, string>> = {
  auth: 'it does not accept our credentials; check SETTING.auth',
  config: 'a redirect, which is never followed; put the final address into SETTING.url',
  throttled: 'it wants fewer messages at a time, and will get them',
  transient_remote: 'it will be tried again',
  permanent_remote: 'it does not take the message; its answer tells why, and the template of SETTING.body made it',
}

function remedy(status: number, failureClass: FailureClass, setting: string): string {
  const words = STATUS_REMEDIES[status] ?? CLASS_REMEDIES[failureClass]
  return words === undefined ? '' : `: ${words.replaceAll('SETTING', setting)}`
}
