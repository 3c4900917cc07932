import type { Schema, ValueOf } from '../../spec/schema.ts'
import { intrinsic, kernelOnly } from './intrinsics.ts'

/** Memory of the process that the program runs for, by its own addresses: what system calls are given. */
export const user = {
  /** A string at a user address, to be stored in a chars() field: bpf_probe_read_user_str (5.5). What cannot be read is empty. */
  string: intrinsic('user.string', (_address: unknown): string => kernelOnly('user.string')),
  /** A copy of a struct at a user address: bpf_probe_read_user (5.5). What cannot be read is zeros. */
  read: intrinsic('user.read', <S extends Schema>(_schema: S, _address: unknown): ValueOf<S> => kernelOnly('user.read')),
}
