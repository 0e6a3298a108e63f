import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { Channel, list, SharedMemory } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import {
  LEDGER_BYTES,
  ledgerName,
  missing,
  noteReceived,
  SENDERS,
  type Stamped,
  unstamp,
} from '../channel-messages.ts'
import { largest, ms, random } from '../figures.ts'
import { child, type Program } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

/** Processes at a time: half of them send. */
const CROWD = 8

/** The longest pause of the living that counts as none, beside the time that the machine itself takes away. */
const PAUSE = 200

const promised: Promised = {
  promise:
    'senders and receivers of a channel are killed at any moment: no message is doubled, torn or out of order, at most one is lost for each killed receiver, and the others go on',
  trials: { long: 2_000, short: 40 },
  limit: 900,
  async run(trial) {
    const name = uniqueName(trial)
    const objects = count()
    const channel = Channel.create<Stamped>(name, { capacity: 8192 })
    const ledger = SharedMemory.create(ledgerName(name), { size: LEDGER_BYTES })
    const words = new Int32Array(ledger.buffer)
    const senders = Math.min(trial.count + CROWD, SENDERS)
    let [nextNumber, kills, killedReceivers] = [0, 0, 0]

    const one = async (role: 'send' | 'receive', place: number) => {
      for (;;) {
        const own = role === 'send' ? nextNumber++ : place
        const start = performance.now()
        const program = child(trial, 'killed-channels', { args: [name, role, own, senders] })
        await program.next()
        const complaints = listen(trial, program)
        // About half of the crowd is at work at any moment, on a busy machine too.
        await sleep(random(2 * (performance.now() - start)))
        const over = kills >= trial.count
        if (!over) {
          kills += 1
          if (role === 'receive') killedReceivers += 1
          trial.made()
        } else if (role === 'receive') killedReceivers += 1
        program.kill('SIGKILL')
        await program.exit
        await complaints
        if (over) return
      }
    }
    const watch = watchProgress(channel)
    await Promise.all(Array.from({ length: CROWD }, (_, place) => one(place % 2 ? 'send' : 'receive', place)))
    const { pause, lag } = watch.stop()

    // What is left belongs to nobody: it is received here.
    while (channel.info().messages > 0) {
      const wrong = noteReceived(words, senders, -1, unstamp(await channel.receive({ timeout: 5_000 })))
      if (wrong !== undefined) trial.lost(wrong)
    }
    await channel.send('0:1:')
    if ((await channel.receive({ timeout: 5_000 })) !== '0:1:')
      trial.lost('the channel does not work any more')
    const lost = missing(words, senders)
    if (lost > killedReceivers)
      trial.lost(`${lost} messages are lost, and ${killedReceivers} receivers were killed`)
    if (pause - lag > PAUSE)
      trial.lost(`nothing was received for ${ms(pause)}, and the machine paused for ${ms(lag)}`)
    const { sent } = channel.info()
    channel.unlink()
    channel.close()
    ledger.unlink()
    ledger.close()
    if (count() !== objects) trial.lost(`${count() - objects} objects more than before`)
    return `${sent} messages, ${kills} kills (${killedReceivers} of them of receivers, with ${lost} messages), longest pause ${ms(pause)} (the machine's own ${ms(lag)})`
  },
}
export default promised

/** Every line that a process prints is a complaint. */
async function listen(trial: Trial, program: Program): Promise<void> {
  for (let line: unknown; ; ) {
    line = await program.next()
    if (line === undefined) return
    trial.lost(String(line))
  }
}

/** Measures the longest time without a message that was received, and the longest delay of this process's own timer. */
function watchProgress(channel: Channel<Stamped>): { stop(): { pause: number; lag: number } } {
  let [received, since, tick] = [channel.info().received, performance.now(), performance.now()]
  const pauses: number[] = []
  const lags: number[] = []
  const timer = setInterval(() => {
    const now = performance.now()
    lags.push(now - tick)
    tick = now
    const info = channel.info()
    // Without a sender and a receiver nothing moves.
    if (info.received !== received || info.senders.length === 0 || info.receivers.length === 0) {
      pauses.push(now - since)
      since = now
      received = info.received
    }
  }, 5)
  return {
    stop() {
      clearInterval(timer)
      return { pause: largest(pauses), lag: largest(lags) }
    },
  }
}

function count(): number {
  const { semaphores, channels, memory } = list()
  const files = process.platform === 'win32' ? memory : readdirSync('/dev/shm')
  return semaphores.length + channels.length + files.length
}
