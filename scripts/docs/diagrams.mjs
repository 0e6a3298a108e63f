// `npm run diagrams`: generates the pictures of the documentation from scripts/docs/diagrams into docs/diagrams.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { takeAndGiveBack } from './diagrams/bars.mjs'
import { kernelSet } from './diagrams/kernel-set.mjs'
import { layers } from './diagrams/layers.mjs'
import { permit } from './diagrams/permit.mjs'
import { root } from '../run.mjs'

/** Every picture by its file. */
export const diagrams = {
  'docs/diagrams/bars.svg': takeAndGiveBack,
  'docs/diagrams/permit.svg': permit,
  'docs/diagrams/layers.svg': layers,
  'docs/diagrams/kernel-set.svg': kernelSet,
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(root, 'docs', 'diagrams'), { recursive: true })
  for (const [file, svg] of Object.entries(diagrams)) writeFileSync(join(root, file), svg)
}
