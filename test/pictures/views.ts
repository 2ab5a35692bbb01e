/** Every view of the console's page, by the name of its picture. */
export interface ShownMessages {
  /** Ids of messages; each shows another side of the message view. */
  readonly sent: string
  readonly waiting: string
}

export interface View {
  readonly name: string
  readonly path: string
  /** A button whose outcome the picture shows. */
  readonly press?: string
}

/** @param project slug of one with a mail server of its own */
export function viewsOf({ sent, waiting }: ShownMessages, project: string): readonly View[] {
  const configuration = `/configuration?project=${project}`
  return [
    { name: 'overview', path: '/' },
    { name: 'messages', path: '/messages' },
    { name: 'message', path: `/messages/${waiting}` },
    { name: 'message-attempts', path: `/messages/${waiting}?tab=attempts` },
    { name: 'message-content', path: `/messages/${sent}?tab=content` },
    { name: 'message-trace', path: `/messages/${sent}?tab=trace` },
    { name: 'message-json', path: `/messages/${sent}?tab=json` },
    { name: 'mailbox', path: '/mailbox' },
    { name: 'configuration', path: configuration },
    { name: 'configuration-advanced', path: `${configuration}&advanced=1` },
    { name: 'configuration-test', path: `${configuration}&tab=test`, press: 'Test connection' },
    { name: 'configuration-revisions', path: `${configuration}&tab=revisions` },
    { name: 'templates', path: '/templates' },
    { name: 'template', path: '/templates/recovery_code_valid' },
    { name: 'keys', path: '/keys' },
    { name: 'audit', path: '/audit' },
  ]
}
