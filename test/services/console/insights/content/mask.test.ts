import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { renderMessage, SAMPLE_DATA } from '#libs/templates'
import { maskHtml } from '../../../../../services/console/insights/content/mask-html.ts'
import { maskData, maskLink, maskText } from '../../../../../services/console/insights/content/mask-text.ts'

const code = fc.stringMatching(/^[0-9]{4,10}$/)
const token = fc.stringMatching(/^[A-Za-z][0-9][A-Za-z0-9_-]{16,40}$/)
/** Letters alone, so that they never hold a code by chance. */
const words = fc.stringMatching(/^[a-zäöü ,.!]{0,30}$/)
const link = fc.tuple(token, fc.constantFrom('?token=', '/', '#', '?flow=x&code=')).map(([secret, before]) => ({
  secret,
  url: `https://auth.example.org/self-service${before}${secret}`,
}))

/** The code itself, or with what people put between its digits. */
const written = (digits: string) =>
  fc.constantFrom('', ' ', '-', '\u00a0', '.').map((between) => digits.split('').join(between))

/** A document in which the code stands in one of the ways that mails have. */
const htmlOf = (digits: string) =>
  fc.constantFrom(
    `<p>${digits}</p>`,
    `<p title="${digits}">x</p>`,
    `<table><tr>${digits.replace(/\d/g, '<td>\n $&\n</td>')}</tr></table>`,
    `<!-- ${digits} --><style>.a:after{content:"${digits}"}</style><b>x</b>`,
    `<p>${[...digits].map((digit) => `&#${digit.charCodeAt(0)};`).join('')}</p>`,
    `<p>${[...digits].map((digit) => `&#x${digit.charCodeAt(0).toString(16)};`).join('')}</p>`,
    `<input value='${digits}'><img alt=${digits} src="https://x.test/${digits}.png">`,
    `<p style="background:url(https://x.test/${digits})">x</p>`,
    `<a href="app://login/${digits}">here</a>`,
    `<p>${digits.slice(0, 2)}<b>${digits.slice(2)}</b></p>`,
    `<script>var code = ${digits}</script>`,
    `<p>${digits}`,
  )

/** What a reader gets out of a text or document: also without tags, blanks and what joins digits. */
function holds(masked: string, secret: string): boolean {
  const bare = masked.replace(/<[^>]*>/g, '')
  return [masked, bare, bare.replace(/[\s.\-\u00a0]/g, '')].some((each) => each.includes(secret))
}

describe('maskText', () => {
  it('leaves no code, however it is written', () => {
    fc.assert(
      fc.property(
        words,
        words,
        code.chain((digits) => fc.tuple(fc.constant(digits), written(digits))),
        (a, b, [digits, text]) => {
          assert.ok(!holds(maskText(`${a} ${text} ${b}`), digits))
        },
      ),
    )
  })

  it('leaves no token of a link or beside one', () => {
    fc.assert(
      fc.property(words, words, link, (a, b, { url, secret }) => {
        assert.ok(!maskText(`${a}${url} ${b}`).includes(secret))
        assert.ok(!maskText(`${a} ${secret} ${b}`).includes(secret))
      }),
    )
  })

  it('shows the first character and where a link leads', () => {
    assert.equal(maskText('Your code: 417203.'), 'Your code: 4•••••.')
    assert.equal(maskText('Go to https://auth.example.org/r?token=Yx3 now'), 'Go to https://auth.example.org/••••• now')
    assert.equal(maskLink('https://user:secret@auth.example.org/'), 'https://auth.example.org/•••••')
  })

  it('tells nothing of the length of a code', () => {
    assert.equal(maskText('4172'), maskText('4172031234'))
  })

  it('leaves what is no secret as it is', () => {
    const text = 'Hello Ada, the code works for 60 minutes.\n\nYour team\n'
    assert.equal(maskText(text), text)
  })

  it('takes a long text in its stride', () => {
    const text = 'a'.repeat(500_000)
    const started = performance.now()
    maskText(text)
    maskHtml(`<p>${text}${'1 '.repeat(50_000)}`)
    assert.ok(performance.now() - started < 20_000)
  })
})

describe('maskHtml', () => {
  it('leaves no code, wherever it stands', () => {
    fc.assert(
      fc.property(
        code.chain((digits) => fc.tuple(fc.constant(digits), htmlOf(digits))),
        ([digits, html]) => {
          assert.ok(!holds(maskHtml(html), digits), maskHtml(html))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('leaves no link', () => {
    fc.assert(
      fc.property(link, ({ url, secret }) => {
        const html = `<a href="${url.replaceAll('&', '&amp;')}">${url.replaceAll('&', '&amp;')}</a><a href='${url}'>x</a>`
        assert.ok(!maskHtml(html).includes(secret))
      }),
    )
  })

  for (const name of ['a', '-', 'a-']) {
    it(`takes a tag with a name of ${name} without an end in its stride`, () => {
      const started = performance.now()
      assert.equal(maskHtml(`<p ${name.repeat(450_000)}>x</p>`), '<p>x</p>')
      // Minutes where each letter of it begins a name of its own.
      assert.ok(performance.now() - started < 20_000)
    })
  }

  it('leaves nothing that runs, and no address to load', () => {
    const masked = maskHtml(
      '<p onclick="go()">x</p><script>go()</script><img src="https://x.test/a.png"><svg onload=go()>',
    )
    assert.equal(masked, '<p>x</p><img>')
  })

  it('keeps the structure and simple looks', () => {
    const html = '<table width="600"><tr><td style="color:#333333;font-size:16px">Hello</td></tr></table>'
    assert.equal(maskHtml(html), html)
  })
})

describe('maskData', () => {
  for (const { templateType, channel, data } of SAMPLE_DATA.filter(({ templateType }) => templateType !== 'stub')) {
    it(`renders ${templateType} for ${channel} without its code and its link`, () => {
      fc.assert(
        fc.property(code, token, (digits, secret) => {
          const filled = fill(data, digits, secret)
          const { subject, text, html = '' } = renderMessage({ templateType, channel, data: maskData(filled) })
          for (const part of [subject, text, html]) {
            assert.ok(!part.includes(digits), part)
            assert.ok(!part.includes(secret), part)
          }
        }),
        { numRuns: 20 },
      )
    })
  }

  it('masks a secret at any depth and of any type', () => {
    const masked = JSON.stringify(
      maskData({
        login_code: 417203,
        oauth2_login_request: { challenge: 'b4f1c9' },
        transient_payload: {
          next: 'see app://open/Yx3Lk9 or not',
          tokens: 'plain',
          codes: ['1234', { value: '5678' }],
        },
      }),
    )
    for (const secret of ['417203', 'b4f1c9', 'Yx3Lk9', '1234', '5678']) assert.ok(!masked.includes(secret), masked)
    assert.ok(masked.includes('plain'))
  })
})

function fill(data: Readonly<Record<string, unknown>>, digits: string, secret: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      if (key.endsWith('_code')) return [key, digits]
      return [key, key.endsWith('_url') ? `https://auth.example.org/r?token=${secret}&code=${digits}` : value]
    }),
  )
}
