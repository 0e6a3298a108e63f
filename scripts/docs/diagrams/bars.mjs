// Five bars: what it takes to take and give back one permit or lock, from docs/benchmark.json.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../../run.mjs'
import { picture, text } from './svg.mjs'

const { machine, scenes } = JSON.parse(readFileSync(join(root, 'docs', 'benchmark.json'), 'utf8'))
const median = (scene, contender) =>
  scenes.find(({ scene: name }) => name === scene).results[contender].median / 1_000

/** The label, the median in microseconds, and the kind of box. */
export const bars = [
  ['os-ipc: a permit', median('sysv-permit', 'os-ipc'), 'held'],
  ['fs-ext: a lock on a file', median('sysv-permit', 'fs-ext'), 'plain'],
  ['os-lock: a lock on a file', median('sysv-permit', 'os-lock'), 'plain'],
  ['redis-semaphore: a permit', median('redis', 'redis-semaphore'), 'plain'],
  ['proper-lockfile: a folder', median('sysv-permit', 'proper-lockfile'), 'plain'],
]

const WIDTH = 760
const [LEFT, TOP, LINE, TALL] = [210, 74, 34, 20]
const longest = Math.max(...bars.map(([, time]) => time))
const scale = (WIDTH - LEFT - 90) / longest

export const takeAndGiveBack = picture({
  title: 'To take a permit or a lock and give it back',
  description: bars.map(([label, time]) => `${label}: ${microseconds(time)}`).join('; '),
  width: WIDTH,
  height: TOP + bars.length * LINE + 14,
  parts: [
    text({
      x: 16,
      y: 28,
      line: 'Take a permit or a lock and give it back: microseconds, shorter is better',
      style: 'title',
    }),
    text({ x: 16, y: 50, line: `No process waits. ${machine}`, style: 'small', ink: 'soft' }),
    bars.map(([label, time, kind], index) => {
      const y = TOP + index * LINE
      const width = Math.max(time * scale, 2)
      return [
        text({ x: LEFT - 10, y: y + 15, line: label, anchor: 'end' }),
        `<rect class="box ${kind}" x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${TALL}" rx="2"/>`,
        text({ x: Math.round(LEFT + width + 8), y: y + 15, line: microseconds(time) }),
      ]
    }),
  ],
})

function microseconds(time) {
  return `${time < 10 ? time.toFixed(2) : time.toFixed(0)} µs`
}
