import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import type { ProbeState } from '../src/agent/snapshot.ts'

interface PanelProps {
  title: string
  /** What it shows, in words. */
  hint?: string
  /** The probe that it comes from, when that is known: marks what is missing. */
  probe?: ProbeState | null
  /** At the right of the title. */
  aside?: ComponentChildren
  class?: string
  children: ComponentChildren
}

/** A part of the page with a title; when its probe is off, it says why in place of its content. */
export function Panel({ title, hint, probe, aside, class: name, children }: PanelProps) {
  const id = useId()
  return (
    <section class={`panel ${name ?? ''}`} aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        <ProbeMark probe={probe} />
        {hint !== undefined && <p class="hint">{hint}</p>}
        {aside != null && <div class="aside">{aside}</div>}
      </div>
      {probe?.state === 'off' ? <Absent probe={probe} /> : children}
    </section>
  )
}

/** 'off' or 'partial', beside what misses it. The reason is told once, above the cards. */
export function ProbeMark({ probe }: { probe: ProbeState | null | undefined }) {
  if (probe == null || probe.state === 'on') return null
  return (
    <a class={`mark ${probe.state}`} href={`#probe-${probe.name}`} title={probe.reason ?? undefined}>
      {probe.state}
    </a>
  )
}

/** In place of figures that no probe delivers: no number is better than a wrong one. */
export function Absent({ probe }: { probe: ProbeState }) {
  return (
    <p class="empty absent">
      Not observed. The probe “{probe.name}” is off: {probe.reason ?? 'the kernel did not say why.'}
    </p>
  )
}
