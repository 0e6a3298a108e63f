// examples/recipes/singleton.mjs
// The program runs once on this host. A second start names the process that runs, and exits with 1.
import { setTimeout as sleep } from 'node:timers/promises'
import { locks } from 'os-ipc'

const NAME = 'example-singleton'
const ran = await locks.request(NAME, { ifAvailable: true }, async lock => {
  if (lock === null) return false
  await main()
  return true
})
if (!ran) {
  const { held } = await locks.query()
  console.error(`process ${held.find(({ name }) => name === NAME)?.pid} runs already`)
  process.exitCode = 1
}

async function main() {
  console.log(`${process.pid} runs`)
  await sleep(2_000) // stands for the program
}
