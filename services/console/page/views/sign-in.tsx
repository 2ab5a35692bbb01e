import { useState } from 'preact/hooks'
import { Problem } from '../parts/notices.tsx'
import { signIn } from '../session.ts'

/** Asks for an API key. It goes to the console once and comes back as a cookie that scripts cannot read. */
export function SignIn() {
  const [error, setError] = useState<Error>()
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get('key'))
    await signIn(key.trim()).catch(setError)
  }
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <h1>Postrider</h1>
        <p>Sign in with an API key. An administrator makes one with:</p>
        <pre>postrider keys create --name you --role operator</pre>
        <label>
          API key
          <input name="key" type="password" autocomplete="current-password" required />
        </label>
        {error && <Problem error={error} />}
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
    </main>
  )
}
