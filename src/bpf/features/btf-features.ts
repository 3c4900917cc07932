import { BtfBuilder } from '../../btf/builder.ts'
import { SysError } from '../../sys/errno.ts'
import { loadBtf } from '../btf-load.ts'
import { PolicyError } from '../load-error.ts'
import { feature, verdictOf } from './feature.ts'
import type { Feature } from './feature.ts'

/** Kinds of types that the kernel takes: each asked by loading the smallest types that use it. */
function btfFeature(name: string, since: string, build: (builder: BtfBuilder) => void): Feature {
  return feature(name, since, () => {
    const builder = new BtfBuilder()
    build(builder)
    try {
      loadBtf('probe', builder.build()).close()
      return 'yes'
    } catch (error) {
      if (error instanceof PolicyError || !(error instanceof SysError)) return { unknown: error as Error }
      return verdictOf('BPF_BTF_LOAD', -error.errno, name)
    }
  })
}

const int = (builder: BtfBuilder) => builder.int('int', 4, { signed: true })

export const btfFeatures = {
  btfFunctions: btfFeature('types of functions', '5.0', (builder) => { builder.func('f', builder.funcProto(int(builder), [])) }),
  btfGlobalFunctions: btfFeature('types of global functions', '5.6', (builder) => {
    builder.func('f', builder.funcProto(int(builder), [{ name: 'a', type: int(builder) }]), 'global')
  }),
  btfDatasec: btfFeature('types of global variables', '5.2', (builder) => {
    const variable = builder.var('x', int(builder), 1)
    builder.datasec('.data', 4, [{ type: variable, offset: 0, size: 4 }])
  }),
  btfFloat: btfFeature('floating-point types', '5.13', (builder) => { builder.float('float', 4) }),
  btfDeclTag: btfFeature('tags of declarations', '5.16', (builder) => {
    builder.declTag('tag', builder.struct('s', 4, [{ name: 'm', type: int(builder), bitOffset: 0 }]))
  }),
  btfTypeTag: btfFeature('tags of types', '5.17', (builder) => { builder.ptr(builder.typeTag('tag', int(builder))) }),
  btfEnum64: btfFeature('64-bit enums', '6.0', (builder) => { builder.enum('e', 8, false, [{ name: 'E', value: 1n << 40n }]) }),
} as const satisfies Record<string, Feature>
