// A permit's life: waiting, held, released, killed.

import { arrow, box, picture, text } from './svg.mjs'

const label = (x, y, line, anchor = 'start') => text({ x, y, line, style: 'small', ink: 'soft', anchor })

export const permit = picture({
  title: "A permit's life",
  description:
    'acquire() takes a permit that is there at once, or waits in line. A wait ends with a permit, or is given up and takes nothing. A held permit is released, or its process dies and the kernel gives it back. Either way the counter goes up by one, and the next in line gets it.',
  width: 904,
  height: 432,
  parts: [
    box({
      x: 28,
      y: 40,
      width: 150,
      height: 76,
      title: 'asked for',
      lines: ['`acquire() use()', '`tryAcquire()'],
    }),
    box({
      x: 206,
      y: 150,
      width: 232,
      height: 84,
      kind: 'waiting',
      title: 'waiting',
      lines: ['a promise, a place in line;', 'one thread blocks for all'],
    }),
    box({
      x: 478,
      y: 40,
      width: 190,
      height: 96,
      kind: 'held',
      title: 'held',
      lines: ['counter − 1', 'and + 1 on the undo list', 'that the kernel keeps'],
    }),
    box({
      x: 746,
      y: 40,
      width: 130,
      height: 96,
      kind: 'free',
      title: 'released',
      lines: ['counter + 1,', 'nothing to undo'],
    }),
    box({
      x: 262,
      y: 270,
      width: 216,
      height: 84,
      title: 'given up',
      lines: ['nothing was taken; a permit on', 'its way goes to the next one'],
    }),
    box({
      x: 530,
      y: 196,
      width: 236,
      height: 96,
      kind: 'dead',
      title: 'killed',
      lines: ['kill -9, a crash, the OOM killer', 'the kernel does what is on', 'the undo list: counter + 1'],
    }),
    box({
      x: 28,
      y: 384,
      width: 848,
      height: 32,
      kind: 'free',
      lines: ['the counter, in the kernel: how many permits are free. It outlives every process.'],
    }),

    arrow([178, 62], [478, 62]),
    label(328, 54, 'a permit is free: no waiting', 'middle'),
    arrow([103, 116], [103, 192], [206, 192]),
    label(111, 140, 'none is free'),
    arrow([438, 192], [458, 192], [458, 112], [478, 112]),
    label(450, 140, 'its turn', 'end'),
    arrow([370, 234], [370, 270]),
    label(380, 257, 'abort, timeout, close()'),
    arrow([668, 88], [746, 88]),
    label(707, 80, 'release()', 'middle'),
    arrow([574, 136], [574, 196]),
    label(582, 171, 'its process dies'),
    arrow([812, 136], [812, 384]),
    arrow([642, 292], [642, 384]),
    label(652, 334, 'by itself, at once'),
    arrow([234, 384], [234, 234]),
    label(226, 316, 'wakes the', 'end'),
    label(226, 332, 'next in line', 'end'),
  ],
})
