import { test } from 'node:test'

import { addRow } from './database.mjs'
import { exclusive } from './exclusive.mjs'

for (const number of [1, 2, 3]) {
  test(
    `invoices ${number}`,
    exclusive('database', () => addRow('invoices', number)),
  )
}
