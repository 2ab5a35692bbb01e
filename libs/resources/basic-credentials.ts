/** The value of an Authorization header. */
export function basicCredentials(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** The same from user and password of a URL; undefined where it has neither. */
export function urlCredentials({ username, password }: URL): string | undefined {
  return username === '' && password === '' ? undefined : basicCredentials(decoded(username), decoded(password))
}

/** A percent sign that starts no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
