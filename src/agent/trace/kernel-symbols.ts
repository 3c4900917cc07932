import { readFileSync } from 'node:fs'

let table: { addresses: BigUint64Array; names: string[] } | undefined
let byName: Map<string, bigint> | undefined

/** The kernel's symbols by address; empty where addresses are hidden. */
function symbols(): { addresses: BigUint64Array; names: string[] } {
  if (table === undefined) {
    const entries: [bigint, string][] = []
    for (const line of readFileSync('/proc/kallsyms', 'latin1').split('\n')) {
      const match = /^([0-9a-f]+) \w (\S+)/.exec(line)
      if (match !== null && match[1] !== '0000000000000000') entries.push([BigInt(`0x${match[1]}`), match[2]!])
    }
    entries.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))
    table = { addresses: BigUint64Array.from(entries, ([address]) => address), names: entries.map(([, name]) => name) }
  }
  return table
}

export function kernelAddress(name: string): bigint | undefined {
  if (byName === undefined) {
    const { addresses, names } = symbols()
    byName = new Map(names.map((one, index) => [one, addresses[index]!]))
  }
  return byName.get(name)
}

/** `name+offset` of an address in the kernel; undefined if it lies nowhere. */
export function kernelSymbolAt(address: bigint): { name: string; offset: bigint } | undefined {
  const { addresses, names } = symbols()
  let [low, high] = [0, addresses.length - 1]
  if (high < 0 || address < addresses[0]!) return undefined
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (addresses[middle]! <= address) low = middle
    else high = middle - 1
  }
  return { name: names[low]!, offset: address - addresses[low]! }
}
