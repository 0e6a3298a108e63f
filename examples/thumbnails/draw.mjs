// Draws images to work on: draw.mjs FOLDER COUNT

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder, count] = process.argv.slice(2)
const [WIDTH, HEIGHT] = [640, 480]

for (let image = 1; image <= Number(count); image++) {
  const pixels = Buffer.from({ length: WIDTH * HEIGHT * 3 }, (_, index) => (index * image) % 256)
  const header = Buffer.from(`P6\n${WIDTH} ${HEIGHT}\n255\n`)
  writeFileSync(join(folder, `${image}.ppm`), Buffer.concat([header, pixels]))
}
