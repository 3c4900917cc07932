import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import type { ProbeState } from '../src/agent/snapshot.ts'
import type { Quantity } from './format.ts'
import { Absent, ProbeMark } from './panel.tsx'

/** One fact of the machine: a title, a few figures, and how it went lately. */
export function Card({ title, probe, children }: { title: string; probe?: ProbeState | null; children: ComponentChildren }) {
  const id = useId()
  return (
    <section class="card" aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        <ProbeMark probe={probe} />
      </div>
      {probe?.state === 'off' ? <Absent probe={probe} /> : children}
    </section>
  )
}

export function Figures({ children }: { children: ComponentChildren }) {
  return <dl class="figures">{children}</dl>
}

interface FigureProps {
  name: string
  value: Quantity
  /** After the unit: "of 2 cores", "/s". */
  after?: string
  tone?: 'warn' | 'bad' | null
  title?: string
}

export function Figure({ name, value, after, tone, title }: FigureProps) {
  return (
    <div class={`figure ${tone ?? ''}`} title={title}>
      <dt>{name}</dt>
      <dd>
        {value.figure}
        <span class="unit">
          {value.unit === '' ? '' : `\u202f${value.unit}`}
          {after ?? ''}
        </span>
      </dd>
    </div>
  )
}
