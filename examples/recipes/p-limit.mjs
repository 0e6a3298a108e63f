// examples/recipes/p-limit.mjs
// Four conversions at a time, over all processes that run this program.
import { setTimeout as sleep } from 'node:timers/promises'
import { Limit } from 'os-ipc'

const limit = Limit.openOrCreate('/example-convert', { permits: 4 })
const files = ['a.mov', 'b.mov', 'c.mov', 'd.mov', 'e.mov', 'f.mov']
const sizes = await Promise.all(files.map(file => limit.use(() => convert(file))))
console.log(sizes.join(' '))

/** @param {string} file */
async function convert(file) {
  await sleep(50) // stands for the work
  return file.length
}
