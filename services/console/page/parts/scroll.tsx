import type { ComponentChildren } from 'preact'

/** A table that may be wider than the screen. Takes the keyboard's focus, or it could only be scrolled by touch and mouse. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard (WCAG 2.1.1)
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
