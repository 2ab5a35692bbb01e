/**
 * Keeps an idle Kafka client idle. kafkajs 2.2.4 re-arms a timer with a negative delay after every check of its request queue, some
 * 2,500 a second and 5 % of a core for a client that does nothing, and looks every 100 ms for requests that timed out, even
 * when none is under way. Here a timer exists only while a request waits for it.
 */
import { createRequire } from 'node:module'

interface SocketRequest {
  readonly sentAt: number
  readonly requestTimeout: number
  readonly timeoutRequest: () => void
}

interface RequestQueue {
  readonly enforceRequestTimeout: boolean
  readonly requestTimeout: number
  readonly inflight: Map<number, SocketRequest>
  readonly pending: readonly SocketRequest[]
  readonly isConnected: () => boolean
  /** Epoch milliseconds; -1 while not throttled. */
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  requestTimeoutIntervalId: NodeJS.Timeout | undefined
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
  scheduleRequestTimeoutCheck(): void
  sendSocketRequest(request: SocketRequest): void
  destroy(): void
}

const PENDING_CHECK_MS = 10
const TIMEOUT_CHECK_MS = 500

const load = createRequire(import.meta.url)
const { prototype } = load('kafkajs/src/network/requestQueue/index.js') as { readonly prototype: RequestQueue }
const { sendSocketRequest, destroy } = prototype

prototype.scheduleCheckPendingRequests = function () {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return
  const check = (): void => {
    this.throttleCheckTimeoutId = null
    this.checkPendingRequests()
  }
  this.throttleCheckTimeoutId = setTimeout(check, Math.max(this.throttledUntil - Date.now(), PENDING_CHECK_MS))
}

/** Called on every connect: the timers of the connection before it go. */
prototype.scheduleRequestTimeoutCheck = function () {
  this.destroy()
}

prototype.sendSocketRequest = function (request) {
  sendSocketRequest.call(this, request)
  if (!this.enforceRequestTimeout || this.inflight.size === 0) return
  this.requestTimeoutIntervalId ??= setInterval(
    () => timeOutRequests(this),
    Math.min(this.requestTimeout, TIMEOUT_CHECK_MS),
  )
}

prototype.destroy = function () {
  destroy.call(this)
  this.requestTimeoutIntervalId = undefined
}

function timeOutRequests(queue: RequestQueue): void {
  const now = Date.now()
  for (const request of queue.inflight.values()) {
    if (now - request.sentAt > request.requestTimeout) request.timeoutRequest()
  }
  if (queue.inflight.size > 0 && queue.isConnected()) return
  clearInterval(queue.requestTimeoutIntervalId)
  queue.requestTimeoutIntervalId = undefined
}
