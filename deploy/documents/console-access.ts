import { consoleRoutes, withoutNames } from './console-routes.ts'

/** Who may call an operation, as the route itself says. @throws where there is no such route */
export async function consoleAccess(): Promise<(method: string, path: string) => string> {
  const routes = await consoleRoutes()
  return (method, path) => {
    const route = routes.find((each) => each.method === method && each.path === withoutNames(path))
    // The two of #libs/http-server were there before anybody could look.
    if (route === undefined && path.startsWith('/health/')) return 'public'
    if (route === undefined) throw new Error(`the console has no route ${method} ${path}: change its OpenAPI document`)
    return route.access
  }
}
