/** `secrets` and `selfservice`: what Postrider reads of them; the rest of a Kratos configuration stands beside it, ignored. */
import { Type } from 'typebox'
import { closed, duration, flag, open, secretList, webUrl } from './schema-parts.ts'

export const secrets = closed(
  'Secrets, newest first: the first one seals, all of them open.',
  {
    cipher: secretList('Seals messages. Required by every service that handles them.'),
    pagination: secretList('Seals page tokens; the cipher secrets where empty.'),
    default: secretList('Read for compatibility.'),
    cookie: secretList('Read for compatibility.'),
  },
  { hidesKeys: true },
)

const notify = open('What mail goes out.', {
  notify_unknown_recipients: flag('Whether an unknown address is told that somebody tried.'),
})

export const selfservice = open('Flows of users.', {
  methods: open('Ways to prove an address.', {
    code: open('By code.', {
      config: open('Of codes.', { lifespan: duration('How long a code is good.', { default: '1h', atLeast: '1s' }) }),
    }),
    link: open('By link.', {
      config: open('Of links.', {
        lifespan: duration('How long a link is good.', { default: '1h', atLeast: '1s' }),
        base_url: Type.Optional(webUrl('Where links point to.')),
      }),
    }),
  }),
  flows: open('What users go through.', { recovery: notify, verification: notify }),
})
