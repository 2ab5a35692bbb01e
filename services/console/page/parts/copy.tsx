import { Icon } from './icon.tsx'
import { tell } from './toast.tsx'

/** A button that puts `text` into the clipboard. @param what names it, as in "Copy message id" */
export function Copy({ text, what }: { text: string; what: string }) {
  const copy = (): Promise<void> =>
    navigator.clipboard.writeText(text).then(
      () => tell(`${what} copied`),
      () => tell('The browser does not allow copying here', 'bad'),
    )
  return (
    <button type="button" class="quiet" aria-label={`Copy ${what}`} title={`Copy ${what}`} onClick={copy}>
      <Icon of="copy" />
    </button>
  )
}
