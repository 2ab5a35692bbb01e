/** What the flows say to a user: template type, data under Ory's names, channel, how long it is good. No I/O. */
import { randomUUID } from 'node:crypto'
import type { ChannelId } from '#libs/messages'
import type { NewMessage } from '#libs/outbox'
import type { FlowKind, Method } from './flow-repository.ts'
import { type IdentityRow, identityJson, type OwnerRow } from './identity.ts'
import type { IdentitySettings } from './ports.ts'
import { type Target, TRAIT_OF, type Traits } from './traits.ts'
import type { UserRequest } from './user-request.ts'

/** A code or link that somebody waits for. */
export interface Proof {
  readonly flowId: string
  readonly via: ChannelId
  readonly method: Method
  /** The code, or the token of the link. */
  readonly secret: string
  readonly expiresAt: Date
  /** Of the request that asked for it, as users reach it. */
  readonly requestUrl: string
  readonly request: UserRequest
}

/** The kind of flow that the mail speaks of, to whom it goes, and about whom. */
export type ProofAbout =
  | { readonly kind: 'registration'; readonly to: string; readonly traits: Traits }
  | { readonly kind: Exclude<FlowKind, 'registration'>; readonly to: string; readonly identity: IdentityRow }

export function proofMessage(proof: Proof, about: ProofAbout, settings: IdentitySettings): NewMessage {
  const { kind, to } = about
  return {
    ...envelope({ via: proof.via, address: to }, proof.request),
    template_type: proof.method === 'link' ? `${kind}_valid` : `${kind}_code_valid`,
    template_data: {
      ...requestData(to, proof),
      expires_in_minutes: Math.max(1, Math.floor(lifespanMs(proof.method, settings) / 60_000)),
      ...secretData(kind, proof, settings),
      ...aboutData(about, proof.via, settings),
    },
    ...('identity' in about && { identity_id: about.identity.id }),
    expires_at: proof.expiresAt,
  }
}

/** To an address that nobody owns: somebody tried. Has no secret; never by SMS. */
export function unknownMessage(proof: Proof, kind: 'recovery' | 'verification', address: string): NewMessage {
  return {
    ...envelope({ via: 'email', address }, proof.request),
    template_type: proof.method === 'link' ? `${kind}_invalid` : `${kind}_code_invalid`,
    template_data: requestData(address, proof),
    expires_at: proof.expiresAt,
  }
}

/** To the address that was replaced. */
export function addressChangedMessage(
  target: Target,
  identity: IdentityRow,
  request: UserRequest,
  settings: IdentitySettings,
): NewMessage {
  return {
    ...envelope(target, request),
    template_type: 'verifiable_address_changed',
    template_data: {
      to: target.address,
      identity: identityJson(identity, settings.publicUrl),
      changed_at: identity.updated_at.toISOString(),
      // null where there is none, as Ory's own notices have it.
      transient_payload: request.transientPayload ?? null,
    },
    identity_id: identity.id,
  }
}

export function lifespanMs(method: Method, settings: IdentitySettings): number {
  return method === 'link' ? settings.linkLifespanMs : settings.codeLifespanMs
}

/** An owner for an address that has none: the same shape and size, so that the decoy's mail takes as long to write. */
export function standIn({ via, address }: Target): OwnerRow {
  const at = new Date()
  const text = at.toISOString()
  const address_id = randomUUID()
  return {
    id: randomUUID(),
    schema_id: 'default',
    state: 'active',
    traits: { [TRAIT_OF[via]]: address },
    created_at: at,
    updated_at: at,
    state_changed_at: at,
    addresses: [{ id: address_id, via, value: address, verified_at: text, created_at: text, updated_at: text }],
    address_id,
    address,
  }
}

function envelope({ via, address }: Target, { locale, headers }: UserRequest) {
  return {
    recipient: address,
    channel: via,
    ...(locale !== undefined && { locale }),
    ...(Object.keys(headers).length > 0 && { request_headers: headers }),
  }
}

function requestData(to: string, { via, requestUrl, request }: Proof): Record<string, unknown> {
  return {
    to,
    request_url: requestUrl,
    ...(via === 'sms' && { request_url_domain: new URL(requestUrl).hostname }),
    transient_payload: request.transientPayload ?? {},
  }
}

function secretData(kind: FlowKind, proof: Proof, settings: IdentitySettings): Record<string, string> {
  const { method, secret, via } = proof
  if (method === 'link') return { [`${kind}_url`]: linkOf(kind, proof, settings) }
  // Ory's SMS has the code of a recovery under this name.
  if (kind === 'recovery' && via === 'sms') return { verification_code: secret }
  const code = { [`${kind}_code`]: secret }
  return kind === 'verification' && via === 'email'
    ? { ...code, verification_url: linkOf(kind, proof, settings) }
    : code
}

function linkOf(kind: FlowKind, { flowId, method, secret }: Proof, { linkBaseUrl }: IdentitySettings): string {
  const query = new URLSearchParams({ flow: flowId, [method === 'link' ? 'token' : 'code']: secret })
  return `${linkBaseUrl}/self-service/${kind}?${query}`
}

/** Nobody is registered yet in a registration: Ory's mail has the traits, its SMS calls them the identity. */
function aboutData(about: ProofAbout, via: ChannelId, { publicUrl }: IdentitySettings): Record<string, unknown> {
  if ('identity' in about) return { identity: identityJson(about.identity, publicUrl) }
  return via === 'sms' ? { identity: about.traits } : { traits: about.traits }
}
