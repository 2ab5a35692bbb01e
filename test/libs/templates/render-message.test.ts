import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { TEMPLATE_TYPES } from '#libs/messages'
import { renderMessage, SAMPLE_DATA, sampleData, TEMPLATE_KINDS } from '#libs/templates'

const CODES: Record<string, string> = {
  recovery_code_valid: 'recovery_code',
  verification_code_valid: 'verification_code',
  login_code_valid: 'login_code',
  registration_code_valid: 'registration_code',
}
const LINKS: Record<string, string> = { recovery_valid: 'recovery_url', verification_valid: 'verification_url' }
const NOTICES: Record<string, string> = {
  verifiable_address_changed: 'changed_at',
  authenticator_key_added: 'added_at',
}
const HOSTILE = `<script>alert("1")</script>' + &`
const ESCAPED = '&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&#39; &#43; &amp;'

function email(templateType: string, more: Record<string, unknown> = {}) {
  const { html, ...parts } = renderMessage({
    templateType,
    channel: 'email',
    data: { ...sampleData(templateType), ...more },
  })
  return { ...parts, html: html ?? '' }
}

function sms(templateType: string, more: Record<string, unknown> = {}) {
  return renderMessage({ templateType, channel: 'sms', data: { ...sampleData(templateType, 'sms'), ...more } })
}

describe('renderMessage', () => {
  for (const { templateType, channel, data } of SAMPLE_DATA) {
    it(`renders ${templateType} for ${channel}, with and without the fields that may be missing`, () => {
      const required = TEMPLATE_KINDS[templateType].fields[channel]!.filter((field) => field.required)
      const least = Object.fromEntries(required.map(({ json }) => [json, data[json]]))
      for (const some of [data, least]) {
        const { subject, text, html } = renderMessage({ templateType, channel, data: some })
        assert.equal(subject === '', channel === 'sms')
        assert.equal(subject, subject.trim())
        assert.ok(text.length > 10)
        assert.doesNotMatch(subject + text + (html ?? ''), /no value|\{\{|undefined|null|map\[|#ZgotmplZ/)
        assert.equal(html !== undefined, channel === 'email' && (templateType !== 'stub' || some === data))
      }
    })
  }

  for (const [templateType, field] of Object.entries(CODES)) {
    it(`${templateType} shows the code in subject, text and HTML, and how long it works`, () => {
      const { subject, text, html } = email(templateType, { [field]: '902817', expires_in_minutes: 17 })
      for (const part of [subject, text, html]) assert.match(part, /\b902817\b/)
      for (const part of [text, html]) assert.match(part, /\b17 minutes\b/)
    })

    it(`${templateType} has no other number of six digits that could be taken for the code`, () => {
      const { verification_url: _, ...data } = sampleData(templateType)
      const { subject, text, html = '' } = renderMessage({ templateType, channel: 'email', data })
      const numbers = [subject, text, html].flatMap((part) => part.match(/\b[0-9]{6}\b/g) ?? [])
      assert.deepEqual([...new Set(numbers)], [data[field]])
    })

    it(`${templateType} by SMS ends with the code bound to the domain, where a domain is known`, () => {
      const bound = sms(templateType, { [field]: '902817', verification_code: '902817' }).text
      assert.match(bound, /^902817 .*\n\n@example\.org #902817$/)
      const unbound = sms(templateType, { request_url_domain: undefined }).text
      assert.doesNotMatch(unbound, /[@#\n]/)
    })
  }

  it('says in an SMS how long a code works, but not for a recovery', () => {
    for (const templateType of ['verification_code_valid', 'login_code_valid', 'registration_code_valid']) {
      assert.match(sms(templateType, { expires_in_minutes: 17 }).text, /\b17 minutes\b/)
    }
    assert.doesNotMatch(sms('recovery_code_valid', { expires_in_minutes: 17 }).text, /17/)
  })

  for (const key of ['recovery_code', 'verification_code']) {
    it(`takes the code of a recovery by SMS under ${key}`, () => {
      const { text } = renderMessage({ templateType: 'recovery_code_valid', channel: 'sms', data: { [key]: '902817' } })
      assert.match(text, /902817/)
    })
  }

  for (const [templateType, field] of Object.entries(LINKS)) {
    it(`${templateType} shows the link as text, as button and to copy, and how long it works`, () => {
      const url = 'https://auth.example.org/x?flow=1&token=a+b'
      const { text, html } = email(templateType, { [field]: url, expires_in_minutes: 17 })
      assert.ok(text.includes(`\n${url}\n`))
      assert.ok(html.includes('href="https://auth.example.org/x?flow=1&amp;token=a&#43;b"'))
      assert.ok(html.includes('<br>https://auth.example.org/x?flow=1&amp;token=a&#43;b<'))
      for (const part of [text, html]) assert.match(part, /\b17 minutes\b/)
    })

    it(`${templateType} makes no link of a URL that could run code`, () => {
      const { html } = email(templateType, { [field]: 'javascript:alert(1)' })
      assert.ok(html.includes('href="#ZgotmplZ"'))
      assert.doesNotMatch(html, /"javascript:/)
    })
  }

  it('verification_code_valid shows the link beside the code, or leaves it out', () => {
    const url = 'https://auth.example.org/v?a=1'
    const both = email('verification_code_valid', { verification_url: url })
    assert.ok(both.text.includes(url) && both.html.includes(`href="${url}"`))
    const alone = email('verification_code_valid', { verification_url: undefined })
    assert.doesNotMatch(alone.text + alone.html, /href|https?:|\blink\b/)
  })

  for (const templateType of TEMPLATE_TYPES.filter((type) => type.endsWith('_invalid'))) {
    it(`${templateType} carries neither code nor link, whatever the data hold`, () => {
      const planted = { recovery_code: '902817', verification_code: '902817', code: '902817' }
      const { subject, text, html } = email(templateType, { ...planted, recovery_url: 'https://planted.example' })
      assert.doesNotMatch(subject + text + html, /902817|https?:|href/)
    })
  }

  for (const [templateType, field] of Object.entries(NOTICES)) {
    it(`${templateType} shows account and time, and whom to ask`, () => {
      const { text, html } = email(templateType, { [field]: '2031-05-06T07:08:09Z', identity: { id: 'account-1' } })
      for (const part of [text, html]) {
        assert.match(part, /Account: account-1/)
        assert.match(part, /Time: 2031-05-06T07:08:09Z/)
        assert.match(part, /contact support/)
      }
      assert.match(sms(templateType).text, /^[^\n]*Contact support\.$/)
    })

    it(`${templateType} leaves the account out where it is not known`, () => {
      const { text, html } = email(templateType, { identity: null })
      assert.doesNotMatch(text + html, /Account:/)
    })
  }

  it('escapes in HTML, and nowhere else', () => {
    const { subject, text, html } = email('login_code_valid', { login_code: HOSTILE })
    assert.ok(subject.includes(HOSTILE) && text.includes(HOSTILE) && html.includes(ESCAPED))
    assert.doesNotMatch(html, /<script/)
    const notice = email('verifiable_address_changed', { identity: { id: HOSTILE } })
    assert.ok(notice.text.includes(HOSTILE) && notice.html.includes(ESCAPED))
  })

  it('assumes an hour where the lifespan is not said', () => {
    assert.match(email('login_code_valid', { expires_in_minutes: undefined }).text, /\b60 minutes\b/)
  })

  it('takes subject and bodies of a stub as they are', () => {
    const data = { subject: ' {{ .To }} ', body: '<b> & {{', html_body: '<b>x</b>' }
    assert.deepEqual(renderMessage({ templateType: 'stub', channel: 'email', data }), {
      subject: ' {{ .To }} ',
      text: '<b> & {{',
      html: '<b>x</b>',
    })
    const { html_body: _, ...plain } = data
    assert.deepEqual(renderMessage({ templateType: 'stub', channel: 'email', data: { ...plain, html_body: '' } }), {
      subject: ' {{ .To }} ',
      text: '<b> & {{',
    })
    assert.deepEqual(renderMessage({ templateType: 'stub', channel: 'sms', data: { body: 'x' } }), {
      subject: '',
      text: 'x',
    })
  })

  it('refuses data that lack what the type needs, quoting no value', () => {
    assert.throws(
      () =>
        renderMessage({
          templateType: 'login_code_valid',
          channel: 'email',
          data: { code: '902817', expires_in_minutes: 'planted' },
        }),
      (error) =>
        isCoded(error, 'TEMPLATE_DATA_INVALID') &&
        /login_code: is missing.*expires_in_minutes: expected/.test(error.message) &&
        !/902817|planted/.test(error.message),
    )
  })

  for (const [templateType, channel] of [
    ['no_such_type', 'email'],
    ['constructor', 'email'],
    ['', 'sms'],
    ['recovery_valid', 'sms'],
  ] as const) {
    it(`knows no ${templateType || 'empty type'} for ${channel}`, () => {
      assert.throws(
        () => renderMessage({ templateType, channel, data: {} }),
        (error) => isCoded(error, 'TEMPLATE_UNKNOWN'),
      )
    })
  }
})
