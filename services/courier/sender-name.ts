/** Far below what a header line may hold, and more than any reader shows. */
const LONGEST = 100
/** Besides line ends: what turns the direction of text, and so could hide what stands behind the name. */
const UNSHOWN = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu

/** Who a mail of a project is from that goes through the operator's server, beside the operator's address. */
export function senderName(projectName: string): string {
  const shown = Array.from(projectName.replace(UNSHOWN, ' ').trim()).slice(0, LONGEST).join('').trim()
  return shown === '' ? 'Postrider' : `${shown} via Postrider`
}
