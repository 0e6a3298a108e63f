import type { Need } from './needs.ts'
import { addonProfile } from '../../scripts/addon.mjs'

/** The addon as users get it. `npm run test:node -- FILE` builds it for files that import this, and a debug one for others. */
export const releaseBuild: Need = {
  missing: addonProfile() === 'release' ? undefined : 'needs the release build: npm run build',
}
