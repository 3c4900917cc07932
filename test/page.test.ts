import { createServer } from 'node:net'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { AgentProcess } from './agent-process.ts'
import { Browser, chromium } from './browser.ts'
import { Cgroup, cgroupMount, type Generator } from './generator.ts'
import { buildForKernelWithout, buildProduct, product } from './product.ts'
import { until } from './until.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** Text of the cells of the first row of a table whose text contains `text`; null while there is none. */
const row = (table: string, text: string) => `(() => {
  const found = [...document.querySelectorAll(${JSON.stringify(`${table} tbody tr`)})].find((one) => one.textContent.includes(${JSON.stringify(text)}))
  return found === undefined ? null : [...found.children].map((cell) => cell.textContent.trim())
})()`
const state = `document.querySelector('.freshness .word')?.textContent`
const background = `getComputedStyle(document.body).backgroundColor`
/** Colours on the heat map. */
const colours = `(() => {
  const canvas = document.querySelector('.heatmap canvas')
  const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)
  return new Set(pixels).size
})()`

describe.skipIf(chromium === null || cgroupMount === null)('the page in headless Chromium (needs root, a cgroup v2 hierarchy and chromium)', () => {
  let port: number
  let agent: AgentProcess
  let cgroup: Cgroup
  let load: Generator
  let browser: Browser
  // Once a second, as a person has it: drawing without a graphics card is dear.
  const listen = () => ['--listen', `127.0.0.1:${port}`, '--interval', '1s']

  beforeAll(async () => {
    await buildProduct({ page: true })
    port = await freePort()
    agent = await AgentProcess.start(...listen())
    cgroup = new Cgroup('page')
    load = cgroup.perl(`hurry(); say('up');
      for (;;) { burn(0.05); sysopen(my $f, '/none', 0) for 1..50; if (!fork()) { exec '/bin/true' } wait; select(undef, undef, undef, 0.1) }`)
    await load.line()
    browser = await Browser.open(`http://127.0.0.1:${port}/`, { width: 1400, height: 2600 })
  })
  afterAll(async () => {
    await browser?.close()
    await load?.stop('SIGKILL')
    await cgroup?.remove()
    await agent?.stop()
  })

  test('shows live data of a load made for it, and goes on without a reload', async () => {
    await browser.shows(`${state} === 'live'`)
    await browser.evaluate('window.sameDocument = true')

    const cells = await browser.shows<string[]>(row('.workloads', cgroup.name))
    const heads = await browser.evaluate<string[]>(`[...document.querySelectorAll('.workloads thead th')].map((th) => th.textContent.trim())`)
    expect(heads.length).toBe(cells.length)
    // Its CPU time, calls, errors and starts are figures, none of them zero.
    await browser.shows(`(${row('.workloads', cgroup.name)}).filter((cell) => /[1-9]/.test(cell)).length >= 6`)

    const [, event] = await browser.shows<string[]>(row('.process', '/bin/true'))
    expect(event).toBe('exec')
    await browser.shows(row('.process', cgroup.name))
    // One process that the page cannot have seen before.
    const late = cgroup.run('sh', '-c', 'cp /bin/true /tmp/skep-$$ && /tmp/skep-$$; rm /tmp/skep-$$; echo /tmp/skep-$$')
    const name = await late.line()
    await browser.shows(row('.process', name))
    await late.ended

    await browser.shows(`${colours} > 4`)
    const text = await browser.evaluate<string>('document.body.innerText')
    for (const title of ['Workloads', 'Run-queue latency', 'Process events']) expect(text).toContain(title)
    expect(await browser.evaluate('window.sameDocument')).toBe(true)
    expect(await browser.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    const picture = await browser.screenshot()
    expect(picture.length).toBeGreaterThan(50_000)
    // To look at: SKEP_SCREENSHOT=page.png npx vitest run test/page.test.ts
    if (process.env['SKEP_SCREENSHOT'] !== undefined) writeFileSync(process.env['SKEP_SCREENSHOT'], picture)
    expect(browser.errors).toEqual([])
  })

  test('the workload table is sorted by the column that one clicks, and filtered', async () => {
    const names = `[...document.querySelectorAll('.workloads tbody tr th .text')].map((one) => one.textContent)`
    await browser.evaluate(`document.querySelector('.workloads thead th.name button').click()`)
    await browser.shows(`document.querySelector('.workloads thead th.name').getAttribute('aria-sort') === 'ascending'`)
    const shown = await browser.shows<string[]>(names)
    expect(shown.length).toBeGreaterThan(1)
    expect(shown).toEqual(shown.toSorted())
    await browser.evaluate(`(() => {
      const input = document.querySelector('.workloads input[type=search]')
      input.value = ${JSON.stringify(cgroup.name)}
      input.dispatchEvent(new InputEvent('input', { bubbles: true }))
    })()`)
    expect(await browser.shows(`${names}.length === 1 && ${names}[0]`)).toBe(cgroup.name)
  })

  test('light and dark follow the system', async () => {
    const seen: string[] = []
    for (const value of ['light', 'dark']) {
      await browser.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })
      seen.push(await browser.evaluate<string>(background))
    }
    const [light, dark] = seen.map((color) => color.match(/\d+/g)!.slice(0, 3).map(Number).reduce((sum, one) => sum + one, 0))
    expect(light).toBeGreaterThan(600)
    expect(dark).toBeLessThan(200)
    if (process.env['SKEP_SCREENSHOT'] !== undefined) writeFileSync(`${process.env['SKEP_SCREENSHOT']}.dark.png`, await browser.screenshot())
  })

  test('an agent that goes away is told, and found again when it comes back', async () => {
    await agent.stop('SIGKILL')
    await browser.shows(`${state} !== 'live'`)
    agent = await AgentProcess.start(...listen())
    await browser.shows(`${state} === 'live'`)
    expect(await browser.evaluate('window.sameDocument')).toBe(true)
    expect(await until('data of the new agent', () => browser.evaluate(row('.workloads', cgroup.name)))).not.toBe(null)
  })

  test('a probe that is off is marked with its reason', async () => {
    const without = await buildForKernelWithout(['block_rq_issue'])
    expect(existsSync(join(product, 'dist/web/index.html'))).toBe(true)
    await agent.stop()
    agent = await AgentProcess.startBuild(without, ...listen())
    await browser.send('Page.navigate', { url: `http://127.0.0.1:${port}/` })
    const notice = await browser.shows<string>(`document.querySelector('#probe-block')?.textContent`)
    expect(notice).toContain('no_block_rq_issue')
    await browser.shows(row('.workloads', cgroup.name))
  })
})
