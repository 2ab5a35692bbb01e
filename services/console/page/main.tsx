import { render } from 'preact'
import { App } from './app.tsx'
import { openSession } from './session.ts'
import './styles/base.css'
import './styles/message.css'
import './styles/overview.css'
import './styles/parts.css'

await openSession().catch(() => undefined) // the view itself tells that the console does not answer
render(<App />, document.getElementById('app')!)
