// examples/jest/orders.test.js
// Jest runs test files in several processes. Tests that use the database take turns; all other tests still run in parallel.
const { setTimeout: sleep } = require('node:timers/promises')
const { Limit } = require('os-ipc')

const database = Limit.openOrCreate('/example-jest', { permits: 1 })
let turn
beforeEach(async () => {
  turn = await database.acquire()
}, 60_000)
afterEach(() => turn.release())

test('an order is stored', async () => {
  expect(database.info().holders).toEqual([{ pid: process.pid, permits: 1 }])
  await sleep(50) // stands for the work with the database
})
