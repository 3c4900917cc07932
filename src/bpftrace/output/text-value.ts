import { formatAddress, formatMac } from './address.ts'
import type { Symbols } from './symbols.ts'
import type { Value } from './value.ts'

export interface TextOptions { trailer: string }

/** A value as `print` and maps show it. `key`: inside the brackets of a map. */
export function textOf(value: Value, symbols: Symbols, options: TextOptions, key = false): string {
  switch (value.kind) {
    case 'int': return String(value.value)
    case 'bool': return String(value.value)
    case 'enum': return value.name ?? String(value.value)
    case 'string': return value.truncated ? value.value + options.trailer : value.value
    case 'buffer': return escapeBuffer(value.bytes)
    case 'pointer': return `0x${value.value.toString(16)}`
    case 'array': return `[${value.elements.map((element) => textOf(element, symbols, options)).join(',')}]`
    case 'fields': return `{ ${value.fields.map(([name, field]) => `${name === '' ? '' : `.${name} = `}${textOf(field, symbols, options)}`).join(', ')} }`
    case 'tuple': {
      const parts = value.elements.map((element) => textOf(element, symbols, options)).join(', ')
      return key ? parts : `(${parts})`
    }
    case 'stack': {
      const lines = symbols.stack({ ...value.type, id: value.id, pid: value.pid, tid: value.tid })
      return `\n${lines.map((line) => `${line}\n`).join('')}`
    }
    case 'ksym': return symbols.kernel(value.address, false)
    case 'usym': return symbols.user(value.address, value.pid, false)
    case 'inet': return formatAddress(value.bytes)
    case 'mac': return formatMac(value.bytes)
    case 'username': return symbols.user_name(value.uid)
    case 'cgroupPath': return symbols.cgroupPath(value.id)
    case 'time': return symbols.time(value.format, value.ns, value.base)
    case 'none': return ''
  }
}

/** Bytes as text, all but printable ASCII as \xNN. */
export function escapeBuffer(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  return out
}
