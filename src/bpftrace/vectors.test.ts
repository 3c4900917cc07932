import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Source } from './source.ts'
import { parseProgram } from './syntax/parser.ts'
import { printProgram } from './syntax/print.ts'
import { runVector, type Vector } from './vectors.ts'

/** The public test data lie beside the checkout. */
const data = process.env.SKEP_PEER_DATA ?? fileURLToPath(new URL('../../../shared/peer', import.meta.url))
const file = `${data}/bpftrace-frontend-vectors.json`
const vectors: Vector[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
/** Vectors that do not pass, with the reason. One that begins to pass must be taken out. */
const expected: { file: string; src: string; reason: string; kind?: string }[] = JSON.parse(
  readFileSync(new URL('vectors-expected.json', import.meta.url), 'utf8'),
)

const isExpected = (vector: Vector) => expected.some(
  (one) => one.file === vector.file && one.src === vector.src && (one.kind ?? vector.kind) === vector.kind,
)
const name = ({ file, kind, src }: Vector) => `${file} ${kind}: ${src}`

describe.skipIf(vectors.length === 0)('front-end vectors of bpftrace (needs its public test data: SKEP_PEER_DATA)', () => {
  it('judges every program as bpftrace does, but for those listed with a reason', () => {
    const failed = vectors.filter((vector) => !isExpected(vector)).flatMap((vector) => {
      const { passed, reason } = runVector(vector)
      return passed ? [] : [`${name(vector)} → ${reason}`]
    })
    expect(failed).toEqual([])
  })

  it('lists no vector that passes', () => {
    expect(vectors.filter((vector) => isExpected(vector) && runVector(vector).passed).map(name)).toEqual([])
  })

  it('prints every program so that it reads the same again', () => {
    const different: string[] = []
    for (const { file, kind, src } of vectors) {
      if (kind === 'error' || file === 'fold_literals') continue
      const once = printed(src)
      if (once === null) continue
      const twice = printed(once)
      if (once !== twice) different.push(`${src}\n--- once\n${once}\n--- twice\n${twice}`)
    }
    expect(different).toEqual([])
  })
})

function printed(text: string): string | null {
  try {
    return printProgram(parseProgram(new Source('stdin', text)))
  } catch {
    return null
  }
}
