/**
 * Part of `npm run lint`: the rules of the house that a general linter does not know (see CONTRIBUTING.md).
 * node build/floors.mjs [root]: prints file:line: [rule] what, exits 1 on an error. Warnings do not fail.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseSync } from 'oxc-parser'

/** A folder of src imports from its own floor and those below. Files in src itself count as folders. */
const floors = {
  asm: 0, btf: 0, spec: 0, sys: 0,
  compiler: 1, bpftrace: 1, vm: 1,
  signals: 1.5,
  bpf: 2,
  probes: 3,
  agent: 4,
  'skep.ts': 4.5, 'register.ts': 4.5, register: 4.5,
  cli: 5,
}

/** These run on any machine: no I/O, no question to the operating system. */
const pure = new Set(['asm', 'btf', 'spec', 'compiler', 'bpftrace', 'vm', 'signals'])
const outside = new Set([
  'fs', 'fs/promises', 'net', 'http', 'http2', 'https', 'tls', 'dgram', 'dns', 'dns/promises', 'child_process', 'cluster',
  'worker_threads', 'os', 'readline', 'readline/promises', 'repl', 'tty', 'inspector', 'inspector/promises',
])

/** Names that say nothing about what is inside. */
const emptyNames = new Set(['util', 'utils', 'common', 'misc', 'helper', 'helpers', 'shared', 'stuff'])
/** …but "helper" is what the kernel calls the functions that it offers to eBPF programs. */
const helperTables = new Set(['src/compiler/helpers.ts', 'src/vm/helpers.ts', 'src/bpf/helpers.ts'])

const longFile = 600

/** Every breach below root: { file, line, rule, message, warning }. */
export function checkFloors(root) {
  const found = []
  for (const file of sourceFiles(root)) {
    const code = readFileSync(join(root, file), 'utf8')
    const report = (line, rule, message, warning = false) => found.push({ file, line, rule, message, warning })
    checkName(file, report)
    const lines = code.split('\n').length - (code.endsWith('\n') ? 1 : 0)
    if (lines > longFile) report(longFile + 1, 'long-file', `${lines} lines: split it by what it is about (aim: 300)`, true)
    // Tests may reach for the kernel, the file system and the floors above to check what they test.
    if (!isTest(file)) for (const one of importsOf(root, file, code)) checkImport(root, file, one, report)
  }
  return found
}

function checkName(file, report) {
  const name = basename(file).split('.')[0].toLowerCase()
  if (emptyNames.has(name) && !helperTables.has(file)) report(1, 'file-name', `'${basename(file)}' does not say what is inside: name the thing`)
}

function checkImport(root, file, { specifier, line, typeOnly }, report) {
  const folder = folderOf(file)
  const name = specifier.replace(/^node:/, '')
  if (/^koffi(\/|$)/.test(specifier) && folder !== 'sys') report(line, 'ffi', `'${specifier}': only src/sys uses the foreign function interface`)
  if (pure.has(folder)) {
    if (outside.has(name) && builtinModules.includes(name)) report(line, 'pure-floor', `'${specifier}': src/${folder} does no I/O and runs on any machine`)
    else if (builtinModules.includes(name) && !specifier.startsWith('node:')) report(line, 'node-prefix', `write 'node:${specifier}'`)
  }
  const target = targetOf(root, file, specifier)
  if (target === null) return
  const to = folderOf(target)
  if (file.startsWith('web/')) {
    if (target.startsWith('src/') && !typeOnly) report(line, 'web', `'${specifier}': the page takes types only; it talks to the agent over HTTP`)
    return
  }
  if (folder !== null && target.startsWith('web/')) return report(line, 'floor', `'${specifier}': src does not import the page`)
  if (folder === null || to === null || folder === to) return
  for (const one of [folder, to]) if (!(one in floors)) return report(line, 'floor', `src/${one} is on no floor: add it to build/floors.mjs`)
  if (floors[to] > floors[folder]) {
    report(line, 'floor', `src/${folder} (floor ${floors[folder]}) imports src/${to} (floor ${floors[to]}): imports go down only`)
  } else if (to === 'sys' && pure.has(folder)) {
    report(line, 'pure-floor', `src/${folder} imports src/sys: it does no I/O and runs on any machine`)
  }
}

/** The folder of src (or file in it) that a file belongs to; null outside src. */
function folderOf(file) {
  const [top, folder] = file.split('/')
  return top === 'src' ? folder : null
}

/** The file of this repository that a specifier means, or null. */
function targetOf(root, file, specifier) {
  if (specifier === 'skep') return 'src/skep.ts'
  if (specifier === 'skep/capture') return 'src/compiler/capture/kernel-function.ts'
  if (!specifier.startsWith('.')) return null
  return relative(root, resolve(root, dirname(file), specifier)).split(sep).join('/')
}

function importsOf(root, file, code) {
  const { module, errors } = parseSync(file, code)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}\n${errors[0].codeframe ?? ''}`)
  const lineAt = offset => code.slice(0, offset).split('\n').length
  const all = []
  const add = (request, entries) => all.push({
    specifier: request.value, line: lineAt(request.start), typeOnly: entries.length > 0 && entries.every(entry => entry.isType),
  })
  for (const one of module.staticImports) add(one.moduleRequest, one.entries)
  for (const one of module.staticExports) {
    const from = one.entries.filter(entry => entry.moduleRequest)
    if (from.length > 0) add(from[0].moduleRequest, from)
  }
  // import('x') as an expression and as a type, and require('x') through createRequire.
  for (const match of code.matchAll(/\b(typeof\s+)?(?:import|require)\s*\(\s*(["'])([^"'\n]+)\2\s*\)/g)) {
    all.push({ specifier: match[3], line: lineAt(match.index), typeOnly: match[1] !== undefined })
  }
  return all
}

function isTest(file) {
  return /\.(test|bench)(-support)?\.[cm]?tsx?$/.test(file) || /(^|\/)(testing|fixtures)\//.test(file)
}

function sourceFiles(root) {
  return ['src', 'web', 'build', 'bench', 'test'].flatMap(top => {
    const dir = join(root, top)
    if (!existsSync(dir)) return []
    return readdirSync(dir, { recursive: true })
      .map(file => `${top}/${file.split(sep).join('/')}`)
      .filter(file => /\.([cm]?ts|tsx|mjs|js)$/.test(file) && !file.endsWith('.d.ts') && !file.endsWith('.d.mts') && statSync(join(root, file)).isFile())
  }).toSorted()
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)))
  const found = checkFloors(root)
  for (const { file, line, rule, message, warning } of found) console.log(`${file}:${line}: ${warning ? 'warning ' : ''}[${rule}] ${message}`)
  const errors = found.filter(one => !one.warning)
  if (errors.length > 0) process.exitCode = 1
  else console.log(`floors: ${sourceFiles(root).length} files keep the rules`)
}
