import { elfSymbols } from './elf-symbols.ts'

export interface UsdtProbe { provider: string; name: string; /** In the file's own space. */ address: number; semaphore: number; arguments: string }

/** The USDT probes in an ELF file's notes, corrected for prelinking. */
export function usdtProbes(path: string): UsdtProbe[] {
  const elf = elfSymbols(path)
  const notes = elf?.sections.find(({ name }) => name === '.note.stapsdt')
  if (elf === null || notes === undefined) return []
  const base = elf.sections.find(({ name }) => name === '.stapsdt.base')?.address
  const { bytes } = elf
  const probes: UsdtProbe[] = []
  for (let at = notes.offset; at + 12 <= notes.offset + notes.size;) {
    const [nameSize, size, type] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)]
    const body = at + 12 + Math.ceil(nameSize / 4) * 4
    at = body + Math.ceil(size / 4) * 4
    if (type !== 3) continue
    const [location, linkedBase, semaphore] = [0, 8, 16].map(
      (offset) => Number(bytes.readBigUInt64LE(body + offset)),
    ) as [number, number, number]
    const shift = base === undefined ? 0 : base - linkedBase
    const provider = elf.text(body + 24)
    const name = elf.text(body + 24 + provider.length + 1)
    const args = elf.text(body + 24 + provider.length + name.length + 2)
    probes.push({
      provider, name, address: location + shift, semaphore: semaphore === 0 ? 0 : semaphore + shift, arguments: args,
    })
  }
  return probes
}
