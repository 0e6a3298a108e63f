// examples/next/app/convert/route.js
// Two conversions at a time, over all server processes of this host.
import { setTimeout as sleep } from 'node:timers/promises'
import { Limit } from 'os-ipc'

export const dynamic = 'force-dynamic'

export async function GET() {
  const limit = Limit.openOrCreate('/example-next', { permits: 2 })
  const holders = await limit.use(async () => {
    await sleep(100) // stands for the conversion
    return limit.info().holders
  })
  return Response.json(holders)
}
