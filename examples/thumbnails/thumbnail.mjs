// Stands for sharp or ffmpeg: makes an image half as wide and half as high. thumbnail.mjs FROM TO

import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const [from, to] = process.argv.slice(2)
console.log(`begins ${basename(from)}`)
writeFileSync(to, halved(readFileSync(from)))
await sleep(150) // a real conversion takes longer
console.log(`ends ${basename(from)}`)

/** A PPM image of which every pixel is the mean of four. */
function halved(file) {
  const [header, width, height] = /^P6\n(\d+) (\d+)\n255\n/.exec(file.toString('latin1', 0, 32))
  const pixels = file.subarray(header.length)
  const [newWidth, newHeight] = [width >> 1, height >> 1]
  const small = Buffer.alloc(newWidth * newHeight * 3)
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      for (let colour = 0; colour < 3; colour++) {
        const at = (2 * y * width + 2 * x) * 3 + colour
        const below = at + width * 3
        const sum = pixels[at] + pixels[at + 3] + pixels[below] + pixels[below + 3]
        small[(y * newWidth + x) * 3 + colour] = sum >> 2
      }
    }
  }
  return Buffer.concat([Buffer.from(`P6\n${newWidth} ${newHeight}\n255\n`), small])
}
