/** The last line of CI: 'N passed, N failed, N skipped' from vitest's JSON report. */
import { readFileSync } from 'node:fs'

const text = readFileSync(process.argv[2], 'utf8')
if (text === '') {
  console.log('0 passed, 1 failed')
  process.exit(1)
}
const report = JSON.parse(text)
// A file that could not be loaded has no tests to fail: it counts as one.
const unloadable = report.testResults.filter(file => file.status === 'failed' && !file.assertionResults.some(one => one.status === 'failed')).length
const failed = report.numFailedTests + unloadable
const skipped = report.numPendingTests + (report.numTodoTests ?? 0)
console.log(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 ? 1 : 0
