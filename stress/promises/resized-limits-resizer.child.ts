// Resizes a limit whenever it is told to, and reports the result, until it is killed.

import { Limit } from '../../index.js'
import { heard, say } from '../../__test__/shared/fixture.ts'

const limit = Limit.open(process.argv[2] ?? '')
say('ready')
for (;;) {
  const { to, timeout } = (await heard()) as { to: number; timeout: number | undefined }
  try {
    await limit.resize(to, { timeout })
    say('done')
  } catch (error) {
    say((error as NodeJS.ErrnoException).code === 'ETIMEDOUT' ? 'given up' : String(error))
  }
}
