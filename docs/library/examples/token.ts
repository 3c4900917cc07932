import { BpfFileSystem, Token } from 'skep/bpf'

// Outside of the container, by who may: what it delegates. Inside, Token.find() or Token.create(path), and load(spec, { token }).
const files = BpfFileSystem.open().delegate({
  commands: ['BPF_MAP_CREATE', 'BPF_PROG_LOAD'], maps: ['hash', 'ringbuf'], programs: ['socket_filter'], attachTypes: 'any',
})
const directory = files.mount()
try {
  Token.create(directory).close()
} catch (error) {
  console.log((error as Error).message)
}
directory.close()
files.close()
