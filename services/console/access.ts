/** Who may do what: each route says which access it needs, each key has a role that grants some. */

/** `public` needs no key anywhere. A route that says nothing is `read` for GET and `configure` for everything else. */
export type Access = 'public' | 'read' | 'send' | 'operate' | 'configure'

export const ROLES = ['viewer', 'sender', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** Who asks: the holder of a key, or on loopback without a key whoever sits at this machine. */
export interface Principal {
  /** Of the key; `local` on loopback without one. Goes into revisions and the audit log. */
  readonly name: string
  readonly role: Role
  readonly keyId: string
  /** The one project that the key is bound to; undefined for every project. */
  readonly project: { readonly id: string; readonly slug: string } | undefined
}

/**
 * How a route keeps to the project of a key that is bound to one: `message` and `project` check the path's first parameter before the
 * route runs, `own` is a route that looks at `request.principal` itself. Such a key reaches no route of another kind.
 */
export type ProjectScope = 'message' | 'project' | 'own'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    projectScope?: ProjectScope
  }
  interface FastifyRequest {
    principal?: Principal
  }
}

const GRANTS: Readonly<Record<Role, readonly Access[]>> = {
  viewer: ['read'],
  sender: ['send'],
  operator: ['read', 'send', 'operate'],
  admin: ['read', 'send', 'operate', 'configure'],
}

interface Route {
  readonly url?: string | undefined
  readonly method?: string | readonly string[] | undefined
  readonly config?: { readonly access?: Access; readonly projectScope?: ProjectScope } | undefined
}

/** Of #libs/http-server, which knows nothing of access. */
const OPEN_ROUTE = /^\/(health\/[a-z]+|metrics)$/
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD'])

export function accessOf({ url = '', method = '', config }: Route): Access {
  if (config?.access !== undefined) return config.access
  if (OPEN_ROUTE.test(url)) return 'public'
  return [method].flat().every((each) => READING.has(each)) ? 'read' : 'configure'
}

export function scopeOf({ url = '', config }: Route): ProjectScope | undefined {
  if (config?.projectScope !== undefined) return config.projectScope
  if (/\/courier\/messages\/:/.test(url)) return 'message'
  return /^(\/admin)?\/projects\/:/.test(url) ? 'project' : undefined
}

export function grants(role: Role, access: Access): boolean {
  return access === 'public' || GRANTS[role].includes(access)
}

/** Roles that may, least first. */
export function rolesWith(access: Access): readonly Role[] {
  return ROLES.filter((role) => grants(role, access))
}

/** Who asks, as the audit log names it. */
export function actorOf({ principal }: { readonly principal?: Principal }): string {
  return principal?.name ?? 'local'
}
