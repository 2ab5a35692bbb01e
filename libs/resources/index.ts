/** Files, web pages and inline data that a configuration points to, and which addresses a connection may go to. */
export { basicCredentials, urlCredentials } from './basic-credentials.ts'
export { type ConnectProblem, connectProblem } from './connect-problem.ts'
export { decodeBase64 } from './decode-base64.ts'
export { guardedConnector } from './guarded-connector.ts'
export { type AddressGuard, AddressRefused, type Guard, type GuardOptions, openGuard } from './open-guard.ts'
export { openResources, type ResourceOptions, type Resources } from './open-resources.ts'
