/** The frame around every view: navigation, project, theme, and the view that the path names. */
import type { ComponentType } from 'preact'
import { needsKey } from './api.ts'
import { path } from './location.ts'
import { Confirm } from './parts/confirm.tsx'
import { Header } from './parts/header.tsx'
import { Empty } from './parts/notices.tsx'
import { Toast } from './parts/toast.tsx'
import { VIEWS } from './routes.ts'
import { SignIn } from './views/sign-in.tsx'

export function App() {
  if (needsKey.value) return <SignIn />
  const found = viewOf(path.value)
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        {found === undefined ? <Empty title="There is no such page." /> : <found.View {...found.parameters} />}
      </main>
      <Confirm />
      <Toast />
    </>
  )
}

interface Found {
  readonly View: ComponentType<Readonly<Record<string, string>>>
  readonly parameters: Readonly<Record<string, string>>
}

function viewOf(at: string): Found | undefined {
  for (const { pattern, View } of VIEWS) {
    const match = pattern.exec(at)
    if (match !== null) return { View: View as Found['View'], parameters: { ...match.groups } }
  }
  return undefined
}
