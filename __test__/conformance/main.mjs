// `RUNTIME __test__/conformance/main.mjs [PART OF A TEST'S NAME]`: the core of what this package promises, without a
// test runner, for every runtime and platform that has one of Node's kind. Its output is TAP.

import './semaphores.mjs'
import './waits.mjs'
import './permits.mjs'
import './locks.mjs'
import './memory.mjs'
import './channels.mjs'
import { runAll } from './suite.mjs'

process.exitCode = (await runAll(process.argv[2])) === 0 ? 0 : 1
