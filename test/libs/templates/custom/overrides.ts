/** Templates of one's own for every type that can have some, in English and German, and the data that they are rendered with. */
import { SAMPLE_DATA, TEMPLATE_KINDS } from '#libs/templates'

interface Words {
  /** Where the language is in the model. */
  readonly lang: string
  readonly sms?: string
  readonly en: string
  readonly de: string
}

const IDENTITY = '.Identity.traits.lang'
const PAYLOAD = '.TransientPayload.lang'

const WORDS: Readonly<Record<string, Words>> = {
  'recovery/invalid': { lang: PAYLOAD, en: 'No account has {{ .To }}', de: 'Kein Konto hat {{ .To }}' },
  'recovery/valid': { lang: IDENTITY, en: 'Recover: {{ .RecoveryURL }}', de: 'Wiederherstellen: {{ .RecoveryURL }}' },
  'recovery_code/invalid': {
    lang: PAYLOAD,
    en: 'No account has {{ .To | lower }}',
    de: 'Kein Konto hat {{ .To | lower }}',
  },
  'recovery_code/valid': {
    lang: IDENTITY,
    sms: IDENTITY,
    en: 'Code {{ .RecoveryCode }}{{ if gt .ExpiresInMinutes 30 }}, no hurry{{ end }}',
    de: 'Code {{ .RecoveryCode | trunc 3 }} {{ .RecoveryCode | trunc -3 }}',
  },
  'verification/invalid': { lang: PAYLOAD, en: 'Not known: {{ .To | quote }}', de: 'Unbekannt: {{ .To | squote }}' },
  'verification/valid': {
    lang: IDENTITY,
    en: 'Confirm: {{ .VerificationURL }}',
    de: 'Bestätigen: {{ .VerificationURL }}',
  },
  'verification_code/invalid': { lang: PAYLOAD, en: 'Not known: {{ .To }}', de: 'Unbekannt: {{ .To }}' },
  'verification_code/valid': {
    lang: IDENTITY,
    sms: IDENTITY,
    en: 'Code {{ .VerificationCode }}',
    de: 'Code {{ printf "%s (%d Minuten)" .VerificationCode .ExpiresInMinutes }}',
  },
  'login_code/valid': {
    lang: IDENTITY,
    sms: IDENTITY,
    en: '{{ with .OAuth2LoginRequest }}{{ .client.client_name | default "an app" }}: {{ end }}{{ .LoginCode }}',
    de: '{{ index .Identity "traits" "email" }}: {{ .LoginCode }}',
  },
  'registration_code/valid': {
    lang: '.Traits.lang',
    sms: '.Identity.lang',
    en: 'Welcome {{ .RegistrationCode }}',
    de: 'Willkommen {{ .RegistrationCode }}',
  },
  verifiable_address_changed: {
    lang: IDENTITY,
    sms: IDENTITY,
    en: 'Changed at {{ .ChangedAt }} for {{ .Identity.id }}',
    de: 'Geändert um {{ .ChangedAt | replace "T" " " }}',
  },
  authenticator_key_added: {
    lang: IDENTITY,
    sms: IDENTITY,
    en: 'Added at {{ .AddedAt }}{{/* nothing */}}',
    de: 'Hinzugefügt um {{ .AddedAt | substr 0 10 }}',
  },
}

function choose(lang: string, de: string, en: string): string {
  return `{{ if eq ${lang} "de" }}${de}{{ else }}${en}{{ end }}`
}

function filesOf({ lang, sms, en, de }: Words): Record<string, string> {
  const owner = lang.slice(0, -'.lang'.length)
  const name = `{{ ${owner}.nick | default "you" | title }}`
  const apps = `{{ range $at, $app := ${owner}.apps }}{{ if $at }}, {{ end }}{{ $app | upper }}{{ else }}none{{ end }}`
  const inline = `${choose(lang, '{{ template "de" . }}', '{{ template "en" . }}')}{{ define "de" }}${de}{{ end }}{{ define "en" }}${en}{{ end }}`
  const html = (words: string): string =>
    `<p title="${words}">${words}</p>{{ range ${owner}.apps }}<a href="/open?app={{ . }}">{{ . }}</a>{{ end }}\n`
  return {
    'email.subject.gotmpl': `  ${inline}\n`,
    'email.body.plaintext.gotmpl': `${name},\n\n{{- /* the words */}}\n${choose(lang, de, en)}\n{{- "" }}\n\n${apps}\n`,
    'email.body.gotmpl': `<!-- ours --><h1>${name}</h1>\n${choose(lang, '{{ template "email.body.de.gotmpl" . }}', '{{ template "email.body.en.gotmpl" . }}')}`,
    'email.body.de.gotmpl': html(de),
    'email.body.en.gotmpl': html(en),
    ...(sms !== undefined && { 'sms.body.gotmpl': choose(sms, de, en).replaceAll('.Identity.traits.email', '.To') }),
  }
}

/** By path below the override folder. */
export const OVERRIDES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(WORDS).flatMap(([folder, words]) =>
    Object.entries(filesOf(words)).map(([file, source]) => [`${folder}/${file}`, source]),
  ),
)

export const OVERRIDE_CASES = SAMPLE_DATA.filter(
  ({ templateType }) => TEMPLATE_KINDS[templateType].folder !== undefined,
).flatMap(({ templateType, channel, data }) =>
  ([undefined, 'de'] as const).map((lang) => ({
    templateType,
    channel,
    lang: lang ?? 'en',
    data: withTraits(data, lang),
  })),
)

/** Sample data of a person with a language, an odd name and two apps. */
function withTraits(data: Readonly<Record<string, unknown>>, lang: 'de' | undefined): Record<string, unknown> {
  const own = { ...(lang !== undefined && { lang, nick: `jörg <b>"o'neil"` }), apps: ['Mail & More', '</a>'] }
  const { identity, traits } = data as { identity?: { traits: object }; traits?: object }
  return {
    ...data,
    ...(identity !== undefined && { identity: { ...identity, ...own, traits: { ...identity.traits, ...own } } }),
    ...(traits !== undefined && { traits: { ...traits, ...own } }),
    transient_payload: own,
  }
}
