/** Figures of a span of time, as the admin API counts them. */
export interface Totals {
  readonly accepted: number
  readonly sent: number
  readonly deferred_now: number
  readonly failed: number
  readonly p50_ms: number | null
  readonly p95_ms: number | null
  readonly p99_ms: number | null
}

export interface Counted {
  readonly key: string
  readonly count: number
}

export interface Stats {
  readonly from: string
  readonly to: string
  readonly step_s: number
  readonly totals: Totals
  readonly previous: Totals
  readonly series: readonly {
    readonly at: string
    readonly sent: number
    readonly deferred: number
    readonly failed: number
    readonly other: number
  }[]
  readonly time_to_sent: readonly {
    readonly at: string
    readonly p50: number | null
    readonly p95: number | null
    readonly p99: number | null
  }[]
  readonly breakdown: Readonly<Record<'class' | 'reply_code' | 'template' | 'domain' | 'provider', readonly Counted[]>>
}

export interface Stage {
  readonly stage: string
  readonly count: number | null
  readonly oldest_age_s: number | null
  readonly note?: string
}

export interface ChannelHealth {
  readonly project: string
  readonly project_name?: string
  readonly channel: string
  readonly provider: string | null
  readonly state: 'open' | 'blocked'
  readonly class: string | null
  readonly message: string | null
  readonly since: string | null
  readonly next_probe_at: string | null
  readonly rate: string | null
  readonly per_minute: number
  readonly success_share: number | null
  readonly last_error: { readonly message: string; readonly at: string } | null
}

/** Spans that can be chosen, in minutes. */
export const SPANS = [
  { label: '15 minutes', minutes: 15 },
  { label: '1 hour', minutes: 60 },
  { label: '24 hours', minutes: 1_440 },
  { label: '7 days', minutes: 10_080 },
] as const
export const DEFAULT_SPAN = 60
