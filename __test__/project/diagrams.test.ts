// The pictures of the documentation are true and legible, and equal the output of the script.

import { readdirSync, readFileSync } from 'node:fs'

import test from 'ava'

import { Semaphore } from '../../index.js'
import { keyOf, uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { ctypes, valuesOf } from '../shared/sets.ts'
import { diagrams } from '../../scripts/docs/diagrams.mjs'
import { valuesOf as drawn } from '../../scripts/docs/diagrams/kernel-set.mjs'

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

test('every picture equals the output of `npm run diagrams`', t => {
  for (const [file, svg] of Object.entries(diagrams)) t.is(read(file), svg, file)
})

test('every picture is used in a page', t => {
  const docs = readdirSync(new URL('../../docs', import.meta.url)).filter(file => file.endsWith('.md'))
  const pages = ['README.md', 'ARCHITECTURE.md', ...docs.map(file => `docs/${file}`)].map(read).join()
  for (const file of Object.keys(diagrams))
    t.true(pages.includes(`](${file.replace('docs/', '')}`) || pages.includes(`](${file}`), file)
})

requires(linux, ctypes)('kernel-set.svg shows the values that the kernel has', t => {
  const name = uniqueName(t, '-drawn')
  const semaphore = Semaphore.create(name, { initial: 4 })
  t.teardown(() => semaphore.close())
  t.deepEqual(drawn(name, 4), valuesOf(keyOf(name)))
  const svg = read('docs/diagrams/kernel-set.svg')
  t.true(svg.includes(`key 0x${(keyOf('/jobs') >>> 0).toString(16)}<`))
  for (const word of drawn('/jobs', 4).slice(3)) t.true(svg.includes(`>${word}</text>`), String(word))
})

// WCAG 2 asks for a contrast of at least 4.5 to 1 for text.
test('the text of every picture has enough contrast on light and dark pages', t => {
  for (const [file, svg] of Object.entries(diagrams)) {
    const [light = '', dark = ''] = (/<style>(.*)<\/style>/s.exec(svg)?.[1] ?? '').split(
      '@media (prefers-color-scheme:dark)',
    )
    for (const style of [light, dark]) {
      const fill = (name: string): string =>
        new RegExp(`\\.${name}\\{fill:(#\\w{6})`).exec(style)?.[1] ?? name
      for (const ground of ['ground', 'plain', 'waiting', 'held', 'free', 'dead']) {
        const ratio = contrast(fill('ink'), fill(ground))
        t.true(ratio >= 4.5, `${file}: ink on ${ground}: ${ratio}`)
      }
      t.true(contrast(fill('soft'), fill('ground')) >= 4.5)
    }
  }
})

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\w\w/g) ?? []).map(hex => {
    const part = Number.parseInt(hex, 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
