import { useState } from 'preact/hooks'
import type { Form } from './form.ts'
import { printMailUri } from './mail-uri.ts'
import { PRESETS, type Preset, partsOf } from './presets.ts'

/** Fills the server of a well-known provider in; user and password stay to be typed. */
export function Presets({ form, at }: { form: Form; at: string }) {
  const [chosen, setChosen] = useState<Preset>()
  const choose = (preset: Preset): void => {
    setChosen(preset)
    form.set(at, printMailUri(partsOf(preset)))
  }
  return (
    <div class="presets">
      <span class="faint">Fill in for</span>
      {PRESETS.map((preset) => (
        <button
          key={preset.name}
          type="button"
          class="chip"
          aria-pressed={chosen === preset}
          onClick={() => choose(preset)}
        >
          {preset.name}
        </button>
      ))}
      <p class="hint" role="status">
        {chosen?.hint}
      </p>
    </div>
  )
}
