// examples/recipes/leader.mjs
// Of all processes that run this program one leads. When it ends, even by kill -9, the next one leads.
import { setTimeout as sleep } from 'node:timers/promises'
import { locks } from 'os-ipc'

await locks.request('example-leader', async () => {
  console.log(`${process.pid} leads`)
  for (;;) await sleep(1_000) // stands for the work of the leader
})
