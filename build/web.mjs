/** The page: web/main.tsx, web/style.css and web/index.html → dist/web with hashed names. */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { root } from './bundle.mjs'

/** False when there is no page in `source` to build. */
export async function buildWeb(source, target) {
  const entry = join(source, 'main.tsx')
  if (!existsSync(entry)) return false
  mkdirSync(target, { recursive: true })
  const imported = []
  const build = await rolldown({
    input: entry,
    cwd: root,
    platform: 'browser',
    transform: { target: 'es2022', jsx: { runtime: 'automatic', importSource: 'preact' }, define: { 'process.env.NODE_ENV': '"production"' } },
    plugins: [collectStyles(imported)],
    tsconfig: false,
    checks: { pluginTimings: false },
    onwarn: warning => { throw new Error(`bundling the page: ${warning.message}`) },
  })
  const { output } = await build.write({
    dir: target, format: 'esm', entryFileNames: 'main-[hash].js', chunkFileNames: '[name]-[hash].js', minify: true,
  })
  await build.close()
  for (const name of readdirSync(source)) if (/\.(svg|png|ico)$/.test(name)) copyFileSync(join(source, name), join(target, name))

  const sheets = existsSync(join(source, 'style.css')) && !imported.includes(join(source, 'style.css'))
    ? [join(source, 'style.css'), ...imported.toSorted()] : imported.toSorted()
  const style = sheets.map(path => readFileSync(path, 'utf8')).join('\n')
  const styleName = `style-${createHash('sha256').update(style).digest('hex').slice(0, 8)}.css`
  if (style !== '') writeFileSync(join(target, styleName), style)
  const script = output.find(chunk => chunk.type === 'chunk' && chunk.isEntry).fileName
  writeFileSync(join(target, 'index.html'), page(readFileSync(join(source, 'index.html'), 'utf8'), script, style === '' ? null : styleName))
  return true
}

/** `import './x.css'` in a component puts the sheet into the page's one style file. */
function collectStyles(paths) {
  return {
    name: 'styles',
    load: {
      filter: { id: /\.css$/ },
      handler(id) {
        paths.push(id)
        return { code: 'export {}', moduleType: 'js', moduleSideEffects: false }
      },
    },
  }
}

function page(html, script, style) {
  const withScript = replaceReference(html, 'main.tsx', script)
  if (withScript === html) throw new Error('web/index.html has no <script type="module" src="./main.tsx">')
  if (style === null) return withScript
  const withStyle = replaceReference(withScript, 'style.css', style)
  return withStyle === withScript ? withScript.replace('</head>', `<link rel="stylesheet" href="./${style}">\n</head>`) : withStyle
}

/** A reference to a source file of the page, however it is written: x, ./x, /x, /web/x. */
function replaceReference(html, from, to) {
  return html.replace(new RegExp(`(["'])(?:\\./|/)?(?:web/)?${from.replace('.', '\\.')}\\1`, 'g'), `"./${to}"`)
}
