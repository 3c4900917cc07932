import {
  isTypeNode, type AttachPoint, type Block, type Comment, type Expression, type Item, type Probe, type Program, type Statement, type TypeNode,
} from './ast.ts'
import { precedenceOf } from './precedence.ts'

const step = '    '
const widest = 100

/** A program as `--fmt` writes it: four blanks a level, one statement a line, comments where they were. */
export function printProgram(program: Program): string {
  return new Printer(program.comments).program(program)
}

export function printExpression(expression: Expression): string {
  return new Printer([]).expression(expression, 0)
}

class Printer {
  readonly #comments: readonly Comment[]
  #next = 0
  #lines: string[] = []
  #depth = 0

  constructor(comments: readonly Comment[]) {
    this.#comments = comments
  }

  program(program: Program): string {
    if (program.shebang !== null) this.#lines.push(program.shebang)
    const { preamble, config } = program
    if (preamble.text.trim() !== '') {
      this.#before(preamble.span.start)
      this.#lines.push(...preamble.text.trimEnd().split('\n').map((line) => line.trimEnd()))
      this.#skip(preamble.span.end)
    }
    if (config !== null) {
      this.#before(config.span.start)
      this.#blank()
      this.#lines.push(
        'config = {', ...config.entries.map(
          ({ key, value }) => `${step}${key}=${typeof value === 'string' ? (/^\w+$/.test(value) ? value : quote(value)) : value};`,
        ), '}',
      )
      this.#skip(config.span.end)
    }
    for (const { path, span } of program.imports) {
      this.#before(span.start)
      this.#lines.push(`import ${quote(path)};`)
    }
    for (const item of program.items) this.#item(item)
    this.#before(Number.MAX_SAFE_INTEGER)
    return `${this.#lines.join('\n').replace(/^\n+/, '')}\n`
  }

  #item(item: Item): void {
    const span = item.kind === 'probe' ? item.probe.span : item.kind === 'macro' ? item.macro.span : item.kind === 'map' ? item.map.span : item.subprogram.span
    this.#blank()
    this.#before(span.start)
    switch (item.kind) {
      case 'map': return void this.#lines.push(`let ${item.map.name} = ${item.map.type}(${item.map.size});`)
      case 'macro': return this.#braced(
        `macro ${item.macro.name}(${item.macro.params.map(({ name }) => name).join(', ')})`, item.macro.body, '',
      )
      case 'subprogram': {
        const { name, params, returns, body } = item.subprogram
        return this.#braced(
          `fn ${name}(${params.map((param) => `${param.name} : ${this.type(param.type)}`).join(', ')}) : ${this.type(returns)}`, body, '',
        )
      }
      case 'probe': return this.#probe(item.probe)
    }
  }

  #probe({ name, points, predicate, body }: Probe): void {
    const written = points.filter(
      (point, index) => points.findIndex((other) => other.span.start === point.span.start) === index,
    ).map(attachPoint)
    const heads = `${name === null ? '' : `${name}=`}${written.join(',\n')}`.split('\n')
    this.#lines.push(...heads.slice(0, -1))
    const head = predicate === null ? heads.at(-1)! : `${heads.at(-1)}\n/${this.expression(predicate, 0)}/`
    const parts = head.split('\n')
    if (parts.length > 1) this.#lines.push(...parts.slice(0, -1))
    if (parts.length > 1) {
      this.#lines.push(parts.at(-1)!)
      return this.#braced('', body, '')
    }
    this.#braced(parts[0]!, body, '')
  }

  #blank(): void {
    if (this.#lines.length > 0 && this.#lines.at(-1) !== '') this.#lines.push('')
  }

  get #indent(): string {
    return step.repeat(this.#depth)
  }

  /** Comments that stand before a place, each on its own line or behind what came before. */
  #before(at: number): void {
    for (let comment; (comment = this.#comments[this.#next]) !== undefined && comment.start < at; this.#next++) {
      if (!comment.ownLine && this.#lines.length > 0 && this.#lines.at(-1) !== '') this.#lines[this.#lines.length - 1] += ` ${comment.text}`
      else this.#lines.push(...comment.text.split('\n').map((line, index) => (index === 0 ? this.#indent + line : line)))
    }
  }

  #skip(to: number): void {
    while (this.#comments[this.#next] !== undefined && this.#comments[this.#next]!.start < to) this.#next++
  }

  /** `head {`, the statements, `}` and what comes behind it. */
  #braced(head: string, block: Block, tail: string): void {
    const open = head === '' ? `${this.#indent}{` : `${this.#indent}${head} {`
    if (block.statements.length === 0 && block.result === null && !this.#hasComment(block.span.end)) {
      this.#lines.push(`${open} }${tail}`)
      return
    }
    this.#lines.push(open)
    this.#body(block)
    this.#lines.push(`${this.#indent}}${tail}`)
  }

  #hasComment(before: number): boolean {
    const comment = this.#comments[this.#next]
    return comment !== undefined && comment.start < before
  }

  #body(block: Block): void {
    this.#depth++
    for (const statement of block.statements) this.#statement(statement, ';')
    if (block.result !== null) this.#statement({ kind: 'expression', expression: block.result, span: block.result.span }, '')
    this.#before(block.span.end)
    this.#depth--
  }

  #statement(statement: Statement, end: string): void {
    this.#before(statement.span.start)
    const line = (text: string) => { this.#lines.push(`${this.#indent}${text}${end}`) }
    switch (statement.kind) {
      case 'expression': {
        const { expression } = statement
        if (expression.kind === 'if') return this.#if(expression, '')
        if (expression.kind === 'block') return this.#braced('', expression, '')
        return line(this.expression(expression, 0))
      }
      case 'discard': return this.#assigned('_ = ', statement.value, end)
      case 'declare': return line(`let ${statement.name}${statement.to === null ? '' : ` : ${this.type(statement.to)}`}`)
      case 'assignVariable': {
        const declared = statement.declared
        const head = declared === undefined ? statement.name : `let ${statement.name}${declared.to === null ? '' : ` : ${this.type(declared.to)}`}`
        return this.#assigned(`${head} ${statement.operator} `, statement.value, end)
      }
      case 'assignMap': return this.#assigned(
        `${this.expression(statement.target, 0)} ${statement.operator} `, statement.value, end,
      )
      case 'while': return this.#braced(`while (${this.expression(statement.condition, 0)})`, statement.body, '')
      case 'unroll': return this.#braced(`unroll (${this.expression(statement.count, 0)})`, statement.body, '')
      case 'forMap': return this.#braced(`for (${statement.variable} : ${statement.map.name})`, statement.body, '')
      case 'forRange': return this.#braced(
        `for (${statement.variable} : ${this.expression(statement.from, 20)}..${this.expression(statement.to, 20)})`, statement.body, '',
      )
      case 'jump': return line(
        statement.value === null ? statement.jump : `${statement.jump} ${this.expression(statement.value, 0)}`,
      )
      case 'import': return line(`import ${quote(statement.path)}`)
    }
  }

  #assigned(head: string, value: Expression, end: string): void {
    if (value.kind === 'block') {
      this.#lines.push(`${this.#indent}${head}{`)
      this.#body(value)
      this.#lines.push(`${this.#indent}}${end}`)
    } else this.#lines.push(`${this.#indent}${head}${this.expression(value, 0)}${end}`)
  }

  #if(node: Expression & { kind: 'if' }, prefix: string): void {
    const head = `${prefix}if (${this.expression(node.condition, 0)}) {`
    if (prefix === '') this.#lines.push(`${this.#indent}${head}`)
    else this.#lines[this.#lines.length - 1] += ` ${head}`
    this.#body(node.then)
    this.#lines.push(`${this.#indent}}`)
    const { otherwise } = node
    if (otherwise === null) return
    if (otherwise.statements.length === 0 && otherwise.result?.kind === 'if') return this.#if(otherwise.result, 'else ')
    this.#lines[this.#lines.length - 1] += ' else {'
    this.#body(otherwise)
    this.#lines.push(`${this.#indent}}`)
  }

  /** The text of an expression; in parentheses where it binds weaker than `least`. */
  expression(node: Expression, least: number): string {
    const text = this.#expression(node)
    return precedenceOf(node) < least ? `(${text})` : text
  }

  #expression(node: Expression): string {
    switch (node.kind) {
      case 'integer': return node.text
      case 'string': return quote(node.value)
      case 'bool': return String(node.value)
      case 'positional': return `$${node.index}`
      case 'positionalCount': return '$#'
      case 'identifier': case 'variable': case 'map': return node.name
      case 'mapAccess': return `${node.map}[${node.key.kind === 'tuple' && node.key.elements.length > 1 ? this.#list(node.key.elements) : this.expression(node.key, 0)}]`
      case 'call': return this.#call(node)
      case 'unary': return node.postfix ? `${this.expression(node.operand, 20)}${node.operator}` : `${node.operator}${this.expression(node.operand, 14)}`
      case 'binary': {
        const own = precedenceOf(node)
        return `${this.expression(node.left, own)} ${node.operator} ${this.expression(node.right, own + 1)}`
      }
      case 'ternary': return `${this.expression(node.condition, 1)} ?${node.then === null ? ':' : ` ${this.expression(node.then, 0)} :`} ${this.expression(node.otherwise, 0)}`
      case 'field': return `${this.expression(node.operand, 20)}${node.arrow ? '->' : '.'}${node.name}`
      case 'tupleField': return `${this.expression(node.operand, 20)}.${node.index}`
      case 'index': return `${this.expression(node.operand, 20)}[${this.expression(node.index, 0)}]`
      case 'cast': return `(${this.type(node.to)})${this.expression(node.operand, 14)}`
      case 'tuple': return `(${this.#list(node.elements)}${node.elements.length === 1 ? ',' : ''})`
      case 'record': return `(${node.fields.map(({ name, value }) => `${name}=${this.expression(value, 0)}`).join(', ')})`
      case 'sizeof': case 'typeof': case 'typeinfo': return `${node.kind}(${this.#typeOrExpression(node.operand)})`
      case 'offsetof': return `offsetof(${this.#typeOrExpression(node.operand)}, ${node.pathExpression === undefined ? node.path.join('.') : this.expression(node.pathExpression, 0)})`
      case 'comptime': return `comptime ${this.expression(node.operand, 14)}`
      case 'block': case 'if': return this.#inline(node)
    }
  }

  #call(node: Expression & { kind: 'call' }): string {
    const args = node.args.map((arg) => this.expression(arg, 0))
    const line = `${node.name}(${args.join(', ')})`
    if (line.length + this.#indent.length <= widest || args.length < 2 || line.includes('\n')) return line
    const inner = `${this.#indent}${' '.repeat(node.name.length + 1)}`
    return `${node.name}(${args.join(`,\n${inner}`)})`
  }

  #list(elements: readonly Expression[]): string {
    return elements.map((element) => this.expression(element, 0)).join(', ')
  }

  #typeOrExpression(operand: Expression | TypeNode): string {
    return isTypeNode(operand) ? this.type(operand) : this.expression(operand, 0)
  }

  /** A block or an if inside an expression, on lines of its own. */
  #inline(node: Expression & { kind: 'block' | 'if' }): string {
    const lines = this.#lines
    this.#lines = []
    this.#depth++
    if (node.kind === 'if') this.#if(node, '')
    else this.#braced('', node, '')
    const text = this.#lines.join('\n').trimStart()
    this.#depth--
    this.#lines = lines
    return text
  }

  type(node: TypeNode): string {
    switch (node.kind) {
      case 'named': return node.tag === undefined ? node.name : `${node.tag} ${node.name}`
      case 'sized': return `${node.name}[${node.length}]`
      case 'pointer': return `${this.type(node.to)}${node.to.kind === 'pointer' ? '' : ' '}*`
      case 'array': return `${this.type(node.element)}[${node.length ?? ''}]`
      case 'typeof': return `typeof(${this.#typeOrExpression(node.operand)})`
    }
  }
}

function attachPoint({ text }: AttachPoint): string {
  return text.trim()
}

const escapes: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\\': '\\\\', '"': '\\"' }

export function quote(text: string): string {
  return `"${text.replace(/[\n\t\r\\"]|[\x00-\x1f]/g, (char) => escapes[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
}
