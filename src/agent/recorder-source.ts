import type { HookPlan, RecordedObject } from './recorder-plan.ts'

/** Whose events are recorded: all but those of one process, or those of what is in the map `scope` by process or cgroup id. */
export type ScopeKind = 'all' | 'pid' | 'cgroup'

/** How the id of a task that is in scope is read. */
const ids = {
  pid: { current: 'currentPid()', task: (name: string) => `${name}.tgid` },
  cgroup: { current: 'currentCgroup()', task: (name: string) => `${name}.cgroups.dfl_cgrp.kn.id` },
}

/** They lie on kernel stacks, which the next task uses too: they tell nothing about whose they are. */
const passing = new Set(['pt_regs', 'linux_binprm'])

/**
 * The kernel function that records one hook, as TypeScript. Free names: ring, record<index>, lost, wakeBytes, scope, seen, self,
 * and the intrinsics. In a scope an event counts when the current task or a task among the arguments is in it, or
 * an object that such an event came with before: a request completes and a socket changes in any context.
 */
export function recorderSource(index: number, { name, arguments: args, current }: HookPlan, scope: ScopeKind): string {
  const objects = args.flatMap((one, at) => (one.kind === 'object' && one.object.struct !== '' ? [{ name: `a${at}`, bit: 2 ** (at + 1), struct: one.object.struct, isRead: one.object.fields.length + one.object.pointers.length > 0 }] : []))
  const tasks = objects.filter((one) => one.struct === 'task_struct')
  const others = objects.filter((one) => one.struct !== 'task_struct' && one.isRead && !passing.has(one.struct))
  const lines = [`let mine = 0`]
  if (scope === 'all' && tasks.length === 0) lines.unshift('if (currentPid() === self) return')
  if (scope !== 'all') {
    const id = ids[scope]
    lines.push(`if (scope.get(${id.current}) !== undefined) mine = 1`)
    for (const task of tasks) lines.push(`if (scope.get(${id.task(task.name)}) !== undefined) mine = mine + ${task.bit}`)
    const known = others.map((one) => `seen.get(address(${one.name})) === undefined`)
    lines.push(`if (${['mine === 0', ...known].join(' && ')}) return`)
    for (const one of others) lines.push(`if (mine !== 0) seen.set(address(${one.name}), 1)`)
  }
  lines.push(
    `const slot = ring.reserve(record${index})`,
    'if (slot === undefined) { lost.add(0, 1); return }',
    `slot.type = ${index}`, 'slot.at = ktime()', 'slot.cpu = currentCpu()', 'slot.pid = currentPid()', 'slot.tid = currentTid()',
    'slot.cgroup = currentCgroup()', 'slot.scope = mine', 'const task = currentTask()', 'slot.comm = task.comm', ...reading('task', current),
  )
  args.forEach((one, at) => lines.push(...(one.kind === 'object' ? reading(`a${at}`, one.object) : [`slot.${one.field} = a${at}`])))
  lines.push('if (ring.available() >= wakeBytes) ring.submit(slot, RING_FORCE_WAKEUP)', 'else ring.submit(slot, RING_NO_WAKEUP)')
  return `// ${name}\nfunction hook${index}(${args.map((_, at) => `a${at}`).join(', ')}) {\n  'use bpf'\n  ${lines.join('\n  ')}\n}\n`
}

/** Children of a process that is in scope are in scope, from their first moment. */
export const followSource = `function follow(parent, child) {
  'use bpf'
  if (scope.get(parent.tgid) !== undefined) scope.set(child.tgid, 1)
}
`

/** Statements that copy an object's fields, and then those of what it points to. */
function reading(name: string, object: RecordedObject): string[] {
  const of = (struct: string) => (struct === object.struct ? name : `(${name} as ${struct})`)
  return [
    `slot.${object.field} = address(${name})`,
    ...object.fields.map((one) => `slot.${one.field} = ${of(one.struct)}.${one.name}`),
    ...object.pointers.flatMap((pointer) => {
      const local = `n${pointer.object.field}`
      return [`const ${local} = ${of(pointer.struct)}.${pointer.name}`, ...reading(local, pointer.object)]
    }),
  ]
}
