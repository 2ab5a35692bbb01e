/** What everybody who talks to a mail server has to read alike: where it is, what it offers and what it answers. */
export { type Capabilities, capabilitiesOf, NO_CAPABILITIES } from './capabilities.ts'
export { checkHeaders, headerProblems } from './header-rules.ts'
export { parseSmtpUri, type SmtpTarget } from './parse-smtp-uri.ts'
export { openReplyReader, type ReplyReader, type SmtpReply } from './smtp-reply.ts'
