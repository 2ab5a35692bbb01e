/** What the rows of the dashboard select by: the dashboard's variables, and names that several rows need. */
import { perSecond, type Query, quantile } from './panels.ts'

export const CHANNEL = 'channel=~"$channel"'
export const OF_TYPE = `${CHANNEL},template_type=~"$template_type"`
export const INSTANCE = 'instance=~"$instance"'
export const FINISHED = 'courier_messages_finished_total'
/** Failures that are not the recipient's. */
export const OURS = 'failure_class!~"permanent_recipient|mailbox_full"'

export function byLabel(metric: string, label: string): Query {
  return { expr: perSecond(metric, label), legend: `{{${label}}}` }
}

export function byP95(histogram: string, label: string, matchers = CHANNEL): Query {
  return { expr: quantile(0.95, histogram, matchers, label), legend: `{{${label}}}` }
}
