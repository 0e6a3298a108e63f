export { permitSourceCases, type PermitSourceCase } from './lib/testing/cases.js'
export { testPermitSource, type DeclareTest } from './lib/testing/declare.js'
export type { PermitSourceSubject } from './lib/testing/subject.js'
