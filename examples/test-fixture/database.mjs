// Stands for a database that only one test at a time may change: two tests at once lose rows.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const FILE = process.env.EXAMPLE_DATABASE ?? join(tmpdir(), 'os-ipc-example-database')

export async function addRow(table, number) {
  const before = await rows()
  await sleep(30) // long enough for another test to interfere
  assert.equal(await rows(), before, 'somebody else changed the database meanwhile')
  await writeFile(FILE, `${before}${table} ${number}\n`)
}

async function rows() {
  return readFile(FILE, 'utf8').catch(() => '')
}
